from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from backends.errors import BudgetError, ConfigError, MissingExtraError
from evals.engines.ray_cluster import open_cluster
from evals.experiment import RaySettings
from evals.journal import key_of, read_entries, read_judgments
from evals.judgment import Costs, Judgment
from evals.metrics.run_summary import summarise_run
from evals.run import JOURNAL, RunOptions, perform_run
from tests.evals.engines.conftest import MakePlan

slow = pytest.mark.slow
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
]
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F"}
"""127.0.0.1 as the kernel writes it, also as an address of version 6."""
DRIVER = """
import asyncio, pathlib
from evals.experiment import load_experiment
from evals.plan import make_plan
from evals.run import RunOptions, perform_run
if __name__ == "__main__":
    asyncio.run(perform_run(make_plan(*load_experiment("boats.yaml")), pathlib.Path("run"), RunOptions()))
"""


def told(folder: Path) -> list[Judgment]:
    """The judgments of a run without what they took."""
    return [each.model_copy(update={"costs": Costs()}) for each in read_judgments(folder / JOURNAL)]


def stored(folder: Path) -> int:
    """Answers that were given; the script is asked for each once."""
    with sqlite3.connect(folder / "answers-0.sqlite") as base:
        (table,) = [name for (name,) in base.execute("select name from sqlite_master where type='table'")][:1]
        count = base.execute(f"select count(*) from {table}").fetchone()[0]
    base.close()
    return int(count)


def children(of: int) -> dict[int, str]:
    """The processes below one, with their command lines."""
    found: dict[int, str] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(path.joinpath("stat").read_text("utf-8").rpartition(")")[2].split()[1])
            if parent == of:
                found[int(path.name)] = path.joinpath("cmdline").read_text("utf-8").replace("\0", " ")
        except OSError:
            continue
    return {**found, **{pid: line for child in list(found) for pid, line in children(child).items()}}


def living(pids: set[int]) -> dict[int, str]:
    """Of these processes, those that are there, dead ones that wait for their parent left out."""
    found = {}
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
            if state != "Z":
                found[pid] = state + " " + Path(f"/proc/{pid}/cmdline").read_text("utf-8").replace("\0", " ")
        except OSError:
            continue
    return found


def listening(pids: set[int]) -> set[str]:
    """The addresses, as the kernel writes them, on which these processes listen."""
    sockets = {
        str(link.readlink()).partition("[")[2].rstrip("]")
        for pid in pids
        for link in _links(Path(f"/proc/{pid}/fd"))
        if str(link.readlink()).startswith("socket:")
    }
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text("utf-8").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                found.add(fields[1].partition(":")[0])
    return found


def _links(folder: Path) -> list[Path]:
    try:
        return [link for link in folder.iterdir() if link.is_symlink()]
    except OSError:
        return []


@slow
async def test_ray_and_local_give_the_same_votes_and_metrics(
    make: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    settings: dict[str, Any] = {"grid": {"ensemble": ["direct", "six"]}, "perturbations": ["none", "jpeg_50"]}
    await perform_run(make("local", **settings), tmp_path / "local", RunOptions())
    before, raylets, addresses, statistics = dict(os.environ), set(), set(), set()

    def look(progress: Any) -> None:
        if progress.done % 24 != 12:
            return
        below = children(os.getpid())
        raylets.update(pid for pid, line in below.items() if "/raylet/raylet" in line)
        addresses.update(listening({os.getpid(), *below}))
        for pid in below:
            variables = Path(f"/proc/{pid}/environ").read_text("utf-8").split("\0")
            statistics.update(each for each in variables if each.startswith("RAY_USAGE_STATS_ENABLED"))

    await perform_run(make("ray", **settings), tmp_path / "ray", RunOptions(), look)
    assert told(tmp_path / "ray") == told(tmp_path / "local")
    assert len(told(tmp_path / "ray")) == 12 * 2 * 2
    assert summarise_run(told(tmp_path / "ray"), resamples=100) == summarise_run(
        told(tmp_path / "local"), resamples=100
    )
    assert len(raylets) == 1, "both arms use one instance"
    assert addresses, "Ray listens"
    assert addresses <= LOOPBACK
    assert statistics == {"RAY_USAGE_STATS_ENABLED=0"}
    assert dict(os.environ) == before
    assert not (tmp_path / "home").exists(), "Ray leaves no token behind"
    assert not [line for line in children(os.getpid()).values() if "ray" in line]
    assert capfd.readouterr().err == ""


@slow
async def test_workers_together_keep_to_the_budget(make: MakePlan, tmp_path: Path) -> None:
    limited = make("ray", cases=30, budget={"calls": 23}, ray={"batch": 4})
    with pytest.raises(BudgetError, match="--resume"):
        await perform_run(limited, tmp_path / "run", RunOptions())
    entries = list(read_entries(tmp_path / "run" / JOURNAL))
    done = sum(entry.judgment.costs.calls for entry in entries)
    assert done <= stored(tmp_path / "run") <= 23
    assert done > 0
    assert max(entry.spent.calls for entry in entries) <= 23


@slow
async def test_what_a_killed_worker_had_under_way_is_done_again(make: MakePlan, tmp_path: Path) -> None:
    killed = []

    def kill(progress: Any) -> None:
        if progress.done == 3:
            workers = [pid for pid, line in children(os.getpid()).items() if "ray::MapWorker" in line]
            killed.append(workers[0])
            os.kill(workers[0], signal.SIGKILL)

    plan = make("ray", cases=24, seconds=0.3, window=4, ray={"batch": 6})
    await perform_run(plan, tmp_path / "run", RunOptions(), kill)
    assert len(killed) == 1
    keys = Counter(key_of(entry.judgment) for entry in read_entries(tmp_path / "run" / JOURNAL))
    assert (len(keys), set(keys.values())) == (24, {1})
    await perform_run(make("local", cases=24), tmp_path / "local", RunOptions())
    assert told(tmp_path / "run") == told(tmp_path / "local")


@slow
async def test_a_killed_run_leaves_nothing_at_work_and_goes_on(make: MakePlan, tmp_path: Path) -> None:
    plan = make("ray", cases=24, seconds=0.4, window=4, ray={"batch": 6})
    (tmp_path / "boats.yaml").write_text(yaml.safe_dump(plan.experiment.model_dump(mode="json")), "utf-8")
    (tmp_path / "driver.py").write_text(DRIVER, "utf-8")
    driver = subprocess.Popen([sys.executable, "driver.py"], stderr=subprocess.DEVNULL)  # noqa: ASYNC220
    journal, until = tmp_path / "run" / JOURNAL, time.monotonic() + 180
    while time.monotonic() < until and not (journal.exists() and journal.read_bytes().count(b"\n") > 4):
        time.sleep(0.05)  # noqa: ASYNC251
    below = children(driver.pid)
    driver.kill()
    driver.wait()
    before = [key_of(entry.judgment) for entry in read_entries(journal)]
    assert 0 < len(before) < 24
    until = time.monotonic() + 60
    # Two idle agents of Ray look for the dead instance for a minute before they end by themselves.
    workers = {pid for pid, line in below.items() if "Agent" not in line and "agent" not in line}
    while time.monotonic() < until and living(workers):
        time.sleep(0.1)  # noqa: ASYNC251
    assert living(workers) == {}
    for agent in living(set(below)):
        os.kill(agent, signal.SIGKILL)
    for folder in set(re.findall(r"/tmp/sixlens-\w+", " ".join(below.values()))):
        shutil.rmtree(folder)  # nobody was there to do it
    await perform_run(plan, tmp_path / "run", RunOptions(resume=True))
    keys = Counter(key_of(entry.judgment) for entry in read_entries(journal))
    assert (len(keys), set(keys.values())) == (24, {1})


@slow
async def test_an_error_of_a_worker_ends_the_run_as_in_this_process(make: MakePlan, tmp_path: Path) -> None:
    plan = make("ray", cases=4)
    (tmp_path / "script.yaml").unlink()
    with pytest.raises(ConfigError, match=r"script\.yaml"):
        await perform_run(plan, tmp_path / "run", RunOptions())


def test_an_address_of_the_ray_client_is_refused(make: MakePlan) -> None:
    with pytest.raises(ConfigError, match="HOST:PORT"):
        open_cluster(RaySettings(address="ray://somewhere:10001"))


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"\[ray\]"):
        open_cluster(RaySettings())
