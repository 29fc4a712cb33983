from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backends.errors import InputError
from evals.ablation.ablate import ablate
from evals.calibrate.calibrate import calibrate
from evals.judgment import Judgment
from evals.refuse import refuse
from evals.report.material import gather
from evals.run import RunOptions, perform_run
from evals.stored_run import open_run
from evals.vote_table import VoteTable, one_each
from paradigms.label import Cause
from tests.evals.drawn import planned
from tests.evals.simulated import RULES, correlated, vote

STAGED = {"stages": [["regional", "commonsense"], ["structural"]], "fusion": {"quorum": 2}}


def staged(cases: int = 100) -> list[Judgment]:
    """p2 is left out where p0 and p1 agree."""
    late = vote(".").model_copy(update={"cause": Cause.STOPPED_EARLY})
    return [
        it.model_copy(update={"votes": {**it.votes, "p2": late}}) if it.votes["p0"] == it.votes["p1"] else it
        for it in correlated(cases)
    ]


@pytest.mark.parametrize("analyse", [lambda rows: ablate(rows, RULES), lambda rows: calibrate(rows, rules=RULES)])
def test_a_run_in_stages_is_not_analysed_as_if_everybody_had_been_asked(analyse: Callable[[Any], Any]) -> None:
    with pytest.raises(InputError, match="p2 came in a later stage and saw the harder cases alone"):
        analyse(staged())
    assert "later stage" in (refuse(staged(), "log_odds", RULES).because or "")


def test_a_run_in_stages_says_so_in_its_report_and_counts_every_call(tmp_path: Path) -> None:
    arms = [{"name": "a", "ensemble": "six", "paradigms": [*STAGED["stages"][0], "structural"], "set": STAGED}]
    asyncio.run(perform_run(planned(tmp_path, arms=arms), tmp_path / "run", RunOptions()))
    judged = open_run(tmp_path / "run").judgments
    assert {it.votes["structural"].cause for it in judged} == {None, Cause.STOPPED_EARLY}
    assert "later stage" in str(gather(tmp_path / "run").ablation)
    for it in judged:
        parts = [*it.votes.values(), *([it.panel] if it.panel else [])]
        needed = it.subject_calls + sum(vote.calls for vote in parts)
        assert needed == (it.costs.calls or 0) + (it.costs.cache_hits or 0)


def test_calls_for_the_subject_and_of_the_panel_are_counted_apart() -> None:
    rows = [it.model_copy(update={"subject_calls": 2, "panel": vote("r", calls=3)}) for it in correlated(10)]
    assert VoteTable.of(one_each(rows)).other_calls.tolist() == [5] * 10
