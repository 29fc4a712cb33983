"""Local models through the command line, end to end; the weights are random, so what they say is not looked at."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from paradigms.library import SIX

FAST = ("qwen2_5_vl", "llava", "smolvlm")
SLOW = ("qwen3_vl", "llava_onevision", "internvl", "idefics3", "gemma3")
SHORT = ("--set", "tokens.verdict=8", "--set", "tokens.text=8", "--set", "tokens.follow_up=8")
ONCE = ("--set", "tokens.more_room=1")
PICTURE = ("--set", "image.max_edge=112")
Checkpoint = Callable[[str], Path]


def judged(ran: Any, spec: str) -> dict[str, Any]:
    """The verdict in JSON, for which this backend answered. Two paradigms need a subject, and noise names none."""
    assert (ran.code, ran.err) == (0, f"sixlens: loading {spec}\n")
    verdict: dict[str, Any] = json.loads(ran.out)
    assert [report["paradigm"] for report in verdict["reports"]] == list(SIX)
    read = [report for report in verdict["reports"] if report["outcome"] in {"answered", "unparsed"}]
    assert {report["backend"] for report in read} == {spec}
    assert len(read) >= 4
    assert "failed" not in {report["outcome"] for report in verdict["reports"]}
    assert verdict["usage"]["tokens"]["output_tokens"] > 0
    return verdict


@pytest.mark.parametrize("family", [*FAST, *(pytest.param(family, marks=pytest.mark.torch) for family in SLOW)])
def test_each_family_judges_a_photo(family: str, checkpoint: Checkpoint, photo: Path, cli: Any) -> None:
    spec = f"hf:{checkpoint(family)}"
    judged(cli("judge", str(photo), "--backend", spec, "--json", "--no-cache", *SHORT, *ONCE, *PICTURE), spec)


def test_the_settings_of_a_local_model_stand_in_the_yaml(checkpoint: Checkpoint, photo: Path, cli: Any) -> None:
    spec = f"hf:{checkpoint('llava')}"
    local = {"dtype": "float32", "attention": "eager", "max_batch": 2, "prefix_once": False, "threads": 1}
    data = {"backend": spec, "backends": {spec: {"local": local}}}
    Path("mine.yaml").write_text(json.dumps(data))
    plain = judged(cli("judge", str(photo), "-b", spec, "--json", *SHORT, *ONCE, *PICTURE), spec)
    changed = judged(cli("judge", str(photo), "-e", "mine.yaml", "--json", *SHORT, *ONCE, *PICTURE), spec)
    # Other numbers give other answers, so nothing may come out of the cache.
    assert (plain["usage"]["cache_hits"], changed["usage"]["cache_hits"]) == (0, 0)


def test_a_dry_run_and_validating_load_nothing(photo: Path, cli: Any) -> None:
    pytest.importorskip("torch")
    spec = "hf:nobody/no-such-model"
    ran = cli("judge", str(photo), "--backend", spec, "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    assert f"{spec}: 10 (8 with the picture, 2 of text alone) a picture; goes to this process" in ran.out


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("./nowhere", "There is no folder ./nowhere; name a folder with a model"),
        ("empty", "empty has no config.json, so no model is in it"),
        ("file", "file is a file; name the folder"),
    ],
)
def test_a_wrong_folder_is_one_line(source: str, says: str, more: tuple[str, ...], photo: Path, cli: Any) -> None:
    pytest.importorskip("torch")
    Path("empty").mkdir()
    Path("file").touch()
    ran = cli("judge", str(photo), "--backend", f"hf:{source}", *more)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (4, "", 1)
    assert ran.err.startswith(f"sixlens: {says}")


def test_weights_that_are_not_all_here_are_told_before_the_work_begins(
    checkpoint: Checkpoint, tmp_path: Path, photo: Path, cli: Any
) -> None:
    folder = shutil.copytree(checkpoint("llava"), tmp_path / "short")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    ran = cli("judge", str(photo), "--backend", f"hf:{folder}", "--json")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (4, "", 1)
    assert ran.err.startswith(f"sixlens: The weights of {folder} are damaged")


def test_an_experiment_looks_at_the_models_of_all_arms_before_it_begins(
    checkpoint: Checkpoint, tmp_path: Path, cli: Any
) -> None:
    folder = shutil.copytree(checkpoint("llava"), tmp_path / "short")
    (folder / "model.safetensors").write_bytes(b"")
    for label, colour in (("real", "red"), ("fake", "blue")):
        (tmp_path / "data" / label).mkdir(parents=True)
        Image.new("RGB", (64, 64), colour).save(tmp_path / "data" / label / "drawn.png")
    arms = [{"name": name, "ensemble": "six", "backend": f"hf:{checkpoint('llava')}"} for name in ("whole", "short")]
    arms[1]["backend"] = f"hf:{folder}"
    Path("trial.yaml").write_text(json.dumps({"name": "trial", "data": {"path": str(tmp_path / "data")}, "arms": arms}))
    ran = cli("eval", "run", "trial.yaml", "-o", str(tmp_path / "run"))
    assert (ran.code, ran.out) == (4, "")
    assert f"The weights of {folder} are damaged" in ran.err.splitlines()[-1]
    assert "loading" not in ran.err


@pytest.mark.torch
def test_nothing_but_the_answer_is_on_stdout_and_only_what_is_waited_for_on_stderr(
    checkpoint: Checkpoint, photo: Path
) -> None:
    spec = f"hf:{checkpoint('idefics3')}"
    command = [sys.executable, "-m", "sixlens", "judge", str(photo), "--backend", spec]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONWARNINGS": "default"}
    environment.pop("HF_HUB_DISABLE_TELEMETRY", None)
    done = subprocess.run(
        [*command, "--json", "--no-cache", *SHORT, *ONCE, *PICTURE],
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
        env=environment,
    )
    assert len(json.loads(done.stdout)["reports"]) == 6
    assert done.stderr == f"sixlens: loading {spec}\n"
