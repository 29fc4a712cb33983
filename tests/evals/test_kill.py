"""A run that is killed with SIGKILL five times and resumed each time ends like one that nobody disturbed."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from evals.journal import key_of, read_entries
from tests.evals.drawn import draw_data, outcomes, script

ROOT = Path(__file__).parent.parent.parent
DRIVER = """
import hashlib, sys
from pathlib import Path
from backends.layers.cache_store import CacheStore
from backends.providers.scripted import ScriptedBackend

log = Path(sys.argv.pop(1)).open("a", buffering=1)
ask, store = ScriptedBackend.complete, CacheStore.put_soon

async def complete(self, request):
    parts = [getattr(part, "text", None) or getattr(part, "sha256", "") for it in request.messages for part in it.parts]
    name = hashlib.sha256(repr((request.sampling, parts)).encode()).hexdigest()
    log.write(f"asked {name}\\n")
    return await ask(self, request)

def put_soon(self, key, completion):
    store(self, key, completion)
    log.write(f"stored {key}\\n")

ScriptedBackend.complete, CacheStore.put_soon = complete, put_soon
from sixlens.cli import main
main(sys.argv[1:])
"""
KILLS = 5
EACH = 15


class Runs:
    """Sessions of one run, with a log of what the backend was asked, and of answers that were stored."""

    def __init__(self, folder: Path, data: Path, spec: str) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".log")
        self.log.touch()
        options = ["--data", str(data), "--backend", spec, "-o", str(folder), "--set", "window=8", "--resume"]
        driver = folder.with_suffix(".py")
        driver.write_text(DRIVER, "utf-8")
        self.command = [sys.executable, str(driver), str(self.log), "eval", "run", "paper", *options]

    def start(self) -> subprocess.Popen[bytes]:
        environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(self.folder.parent)}
        return subprocess.Popen(
            self.command, cwd=self.folder.parent, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def lines(self) -> list[list[str]]:
        return [line.split() for line in self.log.read_text("utf-8").splitlines()]

    def asked(self) -> Counter[str]:
        return Counter(name for kind, name in self.lines() if kind == "asked")

    def kill_after(self, calls: int) -> int:
        """Kill a session after so many more calls; how many were in flight then."""
        before = self.lines()
        with self.start() as process:
            while len(self.lines()) - len(before) < 2 * calls:
                assert process.poll() is None, "the run ended before it was killed"
                time.sleep(0.002)
            process.kill()
        since = self.lines()[len(before) :]
        return sum(1 if kind == "asked" else -1 for kind, _ in since)  # asked, and no answer stored yet


@pytest.mark.slow
def test_killed_five_times_it_ends_like_an_undisturbed_run(tmp_path: Path) -> None:
    chance = random.Random(5)
    data, spec = draw_data(tmp_path / "data", EACH), script(tmp_path, delay=0.03)
    calm, killed = Runs(tmp_path / "calm", data, spec), Runs(tmp_path / "killed", data, spec)
    with calm.start() as process:
        assert process.wait() == 0
    # Two arms, of which the second asks nothing that the first did not: ten calls a case.
    assert set(calm.asked().values()) == {1}
    in_flight = [killed.kill_after(chance.randint(5, 45)) for _ in range(KILLS)]
    with killed.start() as process:
        assert process.wait() == 0

    assert outcomes(killed.folder) == outcomes(calm.folder)
    assert len(outcomes(killed.folder)) == 2 * 2 * EACH
    entries = Counter(key_of(entry.judgment) for entry in read_entries(killed.folder / "journal.jsonl"))
    assert set(entries.values()) == {1}
    repeats = killed.asked().total() - len(killed.asked())
    assert killed.asked().keys() == calm.asked().keys()
    assert repeats <= sum(in_flight)
