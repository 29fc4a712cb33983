from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evals.journal import read_judgments
from evals.shipped import experiment_names
from tests.evals.drawn import draw, draw_data, script
from tests.sixlens.conftest import Cli

ROOT = Path(__file__).parent.parent.parent.parent
FILE = """
name: trial
data: {path: data}
base: {ensemble: direct}
analysis: {resamples: 100}
"""


@pytest.fixture
def backend(tmp_path: Path) -> str:
    """A drawn data set, an experiment on it, and a scripted backend."""
    draw_data(tmp_path / "data")
    (tmp_path / "trial.yaml").write_text(FILE, "utf-8")
    return script(tmp_path)


def test_a_run_is_performed_resumed_and_compared(cli: Cli, backend: str) -> None:
    ran = cli("eval", "run", "trial.yaml", "--backend", backend)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "runs/trial: 6 of 6 judgments are done.")
    assert "The positive class is generated: 3 generated, 3 real." in ran.err
    assert "6 of 6: " in ran.err
    refused = cli("eval", "run", "trial.yaml", "--backend", backend)
    assert (refused.code, refused.out) == (4, "")
    assert "Go on with --resume" in refused.err
    again = cli("eval", "run", "trial.yaml", "--backend", backend, "--resume", "--json")
    assert again.code == 0
    assert {key: json.loads(again.out)[key] for key in ("done", "total", "labels")} == {
        "done": 6,
        "total": 6,
        "labels": {},
    }


def test_several_backends_are_arms(cli: Cli, backend: str, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("rules: [{text: 'Plain. Verdict: real'}]", "utf-8")
    ran = cli("eval", "run", "trial.yaml", "-b", backend, "-b", "scripted:other.yaml", "-o", "two", "--limit", "4")
    assert ran.code == 0
    assert {it.arm for it in read_judgments(tmp_path / "two" / "journal.jsonl")} == {backend, "scripted:other.yaml"}
    compared = cli("eval", "compare", "two")
    assert (compared.code, "4 cases in common" in compared.out) == (0, True)
    made = json.loads(cli("eval", "compare", "two", "--json").out)
    assert [(it["first"], it["common"]) for it in made] == [(backend, 4)]
    assert cli("eval", "compare", "two", "--reference", "none").code == 4


def test_runs_of_folders_with_one_name_are_told_apart(cli: Cli, backend: str) -> None:
    for folder in ("a/run", "b/run"):
        assert cli("eval", "run", "trial.yaml", "-b", backend, "-o", folder).code == 0
    (made,) = json.loads(cli("eval", "compare", "a/run", "b/run", "--json").out)
    assert (made["first"], made["second"]) == ("a/run: direct", "b/run: direct")


def test_a_dry_run_asks_nobody_and_says_what_it_would_take(cli: Cli, backend: str) -> None:
    ran = cli("eval", "run", "trial.yaml", "-b", backend, "--dry-run", "--set", "repeats=2", "--set", "budget.calls=9")
    assert ran.code == 0
    assert "12 judgments: 1 arm × 6 cases × 1 perturbation × 2 repeats" in ran.out
    assert "direct: 1 calls a case, at most 12 in all" in ran.out
    assert "Budget: at most 9 attempts." in ran.out
    assert not Path("runs").exists()


def test_hosted_backends_are_named_before_anything_leaves(cli: Cli, backend: str) -> None:
    ran = cli("eval", "validate", "trial.yaml", "--backend", "openai:gpt-4o", "--json")
    made = json.loads(ran.out)
    assert ran.code == 0
    assert "warning: openai:gpt-4o needs a key" in ran.err
    (arm,) = made["arms"]
    assert arm["backends"][0]["hosted"] is True
    assert cli("eval", "run", "trial.yaml", "--backend", "openai:gpt-4o").code == 4


@pytest.mark.parametrize("name", experiment_names())
def test_what_ships_is_valid(cli: Cli, backend: str, name: str) -> None:
    ran = cli("eval", "validate", name, "--data", "data", "--backend", backend, "--json")
    assert ran.code == 0, ran.err
    made = json.loads(ran.out)
    assert made["experiment"] == name
    assert all(not arm["problems"] for arm in made["arms"])
    assert "warning" not in ran.err


def test_without_a_backend_it_says_how_to_name_one(cli: Cli, backend: str) -> None:
    ran = cli("eval", "run", "trial.yaml")
    assert ran.code == 4
    assert "Add --backend" in ran.err
    assert not Path("runs").exists()
    ran = cli("eval", "validate", "trial.yaml")
    assert (ran.code, "direct: warning: The ensemble 'direct' names no backend" in ran.err) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--set", "repeats"), "--set takes KEY.KEY=VALUE"),
        (("--set", "repeats=2", "--set", "repeats.x=3"), "was set to a value before"),
        (("--set", "repeat=2"), "Did you mean 'repeats'"),
        (("--engine", "dask"), "engine"),
        (("--data", "nowhere"), "nowhere"),
    ],
)
def test_mistakes_are_one_line(cli: Cli, backend: str, arguments: tuple[str, ...], said: str) -> None:
    ran = cli("eval", "run", "trial.yaml", "--backend", backend, *arguments)
    assert ran.code in (2, 4)
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_bad_picture_is_exit_2_and_failures_are_said(cli: Cli, backend: str, tmp_path: Path) -> None:
    (tmp_path / "data" / "real" / "r0.png").write_bytes(b"no picture")
    ran = cli("eval", "run", "trial.yaml", "--backend", backend)
    assert ran.code == 2
    assert "1 judgment of this session ended in an error (ImageError 1)." in ran.out
    later = cli("eval", "run", "trial.yaml", "--backend", backend, "--resume")
    assert (later.code, "1 judgment done before failed" in later.out) == (0, True)


def test_a_spent_budget_is_exit_3_and_goes_on_when_raised(cli: Cli, backend: str) -> None:
    ran = cli("eval", "run", "trial.yaml", "--backend", backend, "--set", "budget.calls=2")
    assert ran.code == 3
    assert "What is done is kept" in ran.err
    assert cli("eval", "run", "trial.yaml", "-b", backend, "--set", "budget.calls=6", "--resume").code == 0


def test_leaks_are_said_and_saved(cli: Cli, backend: str, tmp_path: Path) -> None:
    for number in range(12):
        draw(tmp_path / "leaky" / "fake" / f"{number}.png", number)
        draw(tmp_path / "leaky" / "real" / f"{number}.jpg", 100 + number)
    ran = cli("eval", "run", "trial.yaml", "--backend", backend, "--data", "leaky")
    assert "warning: Generated pictures more often are PNG files: 'is PNG' alone tells the labels apart" in ran.err
    saved = (tmp_path / "runs" / "trial" / "config.yaml").read_text("utf-8")
    assert "is PNG" in saved
    assert "auc: 1.0" in saved


def test_measuring_and_unlabelled_pictures(cli: Cli, tmp_path: Path) -> None:
    for number in range(2):
        draw(tmp_path / "loose" / f"{number}.png", number)
    (tmp_path / "m.yaml").write_text("name: m\ndata: {path: loose}\nbase: {ensemble: measured}\n", "utf-8")
    ran = cli("eval", "run", "m.yaml")
    assert (ran.code, "2 cases without a label" in ran.err) == (0, True)


def test_runs_and_experiments_are_listed(cli: Cli, backend: str) -> None:
    cli("eval", "run", "trial.yaml", "--backend", backend, "--set", "budget.calls=60")
    listed = json.loads(cli("eval", "list", "--json").out)
    assert {it["name"] for it in listed["experiments"]} == set(experiment_names())
    assert [(it["folder"], it["experiment"], it["judgments"]) for it in listed["runs"]] == [("runs/trial", "trial", 6)]
    assert "runs/trial" in cli("eval", "list").out
    Path("runs/trial/journal.jsonl").write_text("x\n", "utf-8")
    assert "unreadable" in cli("eval", "list", "--json").out


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done(backend: str, tmp_path: Path) -> None:
    script(tmp_path, delay=0.4)
    command = [sys.executable, "-m", "sixlens", "eval", "run", "trial.yaml", "--backend", backend, "--set", "window=1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        journal = tmp_path / "runs" / "trial" / "journal.jsonl"
        while not (journal.exists() and journal.read_bytes().count(b"\n") >= 3):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted; what is done is kept in runs/trial: go on with --resume" in said
    assert "Traceback" not in said
    assert 2 <= len(read_judgments(journal)) < 6
