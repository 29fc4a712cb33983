from __future__ import annotations

from pathlib import Path

import pytest

from evals.journal import read_judgments
from evals.judgment import Costs, Judgment
from evals.metrics.run_summary import summarise_run
from evals.run import JOURNAL, RunOptions, perform_run
from tests.evals.engines.conftest import MakePlan

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
]


def told(folder: Path) -> list[Judgment]:
    """The judgments of a run without the seconds that they took."""
    found = read_judgments(folder / JOURNAL)
    return [each.model_copy(update={"costs": each.costs.model_copy(update={"seconds": 0.0})}) for each in found]


async def test_ray_and_local_give_the_same_votes_and_metrics(make: MakePlan, tmp_path: Path) -> None:
    settings = {
        "grid": {"ensemble": ["direct", "six"]},
        "repeats": 2,
        "perturbations": ["none", "jpeg_50"],
    }
    for engine in ("local", "ray"):
        await perform_run(make(engine, **settings), tmp_path / engine, RunOptions())
    local, spread = told(tmp_path / "local"), told(tmp_path / "ray")
    assert len(local) == 12 * 2 * 2 * 2
    assert [each.model_copy(update={"costs": Costs()}) for each in spread] == [
        each.model_copy(update={"costs": Costs()}) for each in local
    ]
    assert summarise_run(spread, resamples=100) == summarise_run(local, resamples=100)
