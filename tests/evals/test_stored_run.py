from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from backends.errors import ConfigError
from evals.report.material import gather
from evals.run import RunOptions, perform_run
from evals.stored_run import open_run
from sixlens.cli.eval_list_command import run_import
from tests.evals.drawn import planned
from tests.evals.simulated import correlated


def imported(folder: Path, cases: int = 40, voters: int = 3) -> Path:
    """A run of imported votes."""
    rows = [
        f"{it.case},{it.truth},{name},{vote.label}"
        for it in correlated(cases, [0.8] * voters)
        for name, vote in it.votes.items()
    ]
    (folder / "votes.csv").write_text("\n".join(["case,label,paradigm,vote", *rows]), "utf-8")
    run_import(folder / "votes.csv", folder / "run", as_json=False)
    return folder / "run"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    arms: list[dict[str, Any]] = [{"name": "a", "set": {"fusion": {"quorum": 1, "generated_share": 0.9}}}]
    asyncio.run(perform_run(planned(tmp_path, arms=arms), tmp_path / "run", RunOptions()))
    return tmp_path / "run"


@pytest.mark.parametrize(("voters", "quorum"), [(1, 1), (2, 2), (3, 2), (6, 4), (8, 4)])
def test_imported_votes_have_the_usual_quorum_for_their_number(tmp_path: Path, voters: int, quorum: int) -> None:
    assert open_run(imported(tmp_path, voters=voters)).rules("imported").quorum == quorum


def test_the_report_analyses_by_the_rules_that_the_other_commands_use(tmp_path: Path) -> None:
    material = gather(imported(tmp_path))
    assert not isinstance(material.ablation, str)
    everybody = next(it for it in material.ablation.subsets if len(it.voters) == 3)
    assert everybody.quorum == open_run(tmp_path / "run").rules("imported").quorum == 2


def test_settings_that_came_later_cost_no_run(run: Path) -> None:
    path = run / "config.yaml"
    saved = yaml.safe_load(path.read_text("utf-8"))
    for name in ("limits", "image", "deadlines"):
        del saved["arms"]["a"][name]
    saved["arms"]["a"]["gone"] = {"by": "now"}
    path.write_text(yaml.safe_dump(saved), "utf-8")
    stored = open_run(run)
    assert (stored.rules("a").quorum, stored.rules("a").generated_share) == (1, 0.9)
    assert stored.ensembles["a"]["name"] == "direct"
    assert gather(run).summary.arms == ("a",)


def test_rules_that_are_damaged_are_no_other_rules(run: Path) -> None:
    path = run / "config.yaml"
    path.write_text(path.read_text("utf-8").replace("quorum: 1", "quorum: many"), "utf-8")
    with pytest.raises(ConfigError, match=r"config.yaml, a: fusion.*quorum"):
        open_run(run).rules("a")


def test_imported_votes_of_which_a_part_is_missing_are_refused(tmp_path: Path) -> None:
    path = imported(tmp_path) / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2]))
    with pytest.raises(ConfigError, match="only 38 of the 40 imported cases are there; import the votes again"):
        open_run(tmp_path / "run")
