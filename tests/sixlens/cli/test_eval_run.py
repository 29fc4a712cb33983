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
from evals.judgment import Costs, Judgment
from evals.progress import Progress
from evals.shipped import experiment_names
from paradigms.label import Label
from sixlens.cli.eval_run_command import LogLines, progress_words
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
    assert "Unanswered as wrong: Cases without a label count as wrong: an undecided" in compared.out
    for title in ("second less first", "false positives", "alone right"):
        assert title in compared.out
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


def test_who_stands_in_elsewhere_is_named_too(cli: Cli, backend: str) -> None:
    ran = cli(
        "eval",
        "validate",
        "trial.yaml",
        "--set",
        f"base={{backend: '{backend}', set: {{fallback: [openai:gpt-4o]}}}}",
        "--json",
    )
    (arm,) = json.loads(ran.out)["arms"]
    assert [(it["spec"], it["hosted"]) for it in arm["backends"]] == [(backend, False), ("openai:gpt-4o", True)]


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
    for command in (("validate", "trial.yaml"), ("run", "trial.yaml", "--dry-run")):
        ran = cli("eval", *command)
        assert (ran.code, "direct: The ensemble 'direct' names no backend" in ran.err) == (4, True)
        assert "direct: 1 calls a case, at most 6 in all. Estimated cost" in ran.out


def test_a_shipped_experiment_says_that_it_needs_pictures(cli: Cli, tmp_path: Path) -> None:
    ran = cli("eval", "run", "paper")
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert "paper: this experiment ships without pictures: give --data PATH and --backend PROVIDER:MODEL." in ran.err
    assert "give --data PATH." in cli("eval", "validate", "paper", "-b", script(tmp_path)).err
    assert "nowhere: there is no such folder" in cli("eval", "run", "paper", "--data", "nowhere").err


def test_a_budget_that_may_not_suffice_is_said_before(cli: Cli, backend: str) -> None:
    said = "warning: The budget of 5 attempts may not suffice for up to 6 calls; raise it with --set budget.calls=N"
    validated = cli("eval", "validate", "trial.yaml", "-b", backend, "--set", "budget.calls=5", "--json")
    assert (validated.code, said in validated.err) == (0, True)
    assert said.endswith(json.loads(validated.out)["warnings"][0].partition(", now")[0])
    assert said in cli("eval", "run", "trial.yaml", "-b", backend, "--set", "budget.calls=5").err
    enough = cli("eval", "validate", "trial.yaml", "-b", backend, "--set", "budget.calls=6", "--json")
    assert ("suffice" in enough.err, json.loads(enough.out)["warnings"]) == (False, [])


def test_progress_in_a_log_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    clock, progress = iter(range(10_000)), Progress(total=1000, done=0)
    lines = LogLines(lambda: next(clock) / 100)  # every look at the clock takes 10 ms
    for done in range(1, 1001):
        progress.done = done
        lines(progress)
    said = [int(line.split()[1]) for line in capsys.readouterr().err.splitlines()]
    assert (1 < len(said) <= 3, said[-1]) == (True, 1000)


def judged(calls: int, cost: float | None) -> Judgment:
    return Judgment(case="c", arm="a", label=Label.REAL, costs=Costs(calls=calls, cost=cost))


def test_progress_names_a_cost_only_where_a_model_was_asked() -> None:
    progress = Progress(total=4, done=0)
    progress.add(judged(calls=0, cost=0.0))
    assert "$" not in progress_words(progress)
    progress.add(judged(calls=1, cost=0.0))
    assert "$0.00" in progress_words(progress)
    progress.add(judged(calls=1, cost=None))
    assert "$" not in progress_words(progress)  # free or not is not known
    progress.add(judged(calls=1, cost=0.25))
    assert "at least $0.25" in progress_words(progress)


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
    assert "What is done is kept: raise it with --set budget.calls=N and go on with --resume." in ran.err
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
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted; what is done is kept in runs/trial: go on with --resume" in said
    assert "Traceback" not in said
    assert 2 <= len(read_judgments(journal)) < 6
