"""Intervals hold what they claim, on data sets drawn from a known truth."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from evals.metrics.arrays import Floats
from evals.metrics.columns import Columns
from evals.metrics.estimate import Estimate, Method
from evals.metrics.ranking import Ranking, auc
from evals.metrics.rate import rate
from evals.metrics.resample import Bootstrap, Statistic
from evals.metrics.sample import Sample
from evals.metrics.scores import differing, statistics
from evals.metrics.view import views

DATA_SETS = 400
BOOTSTRAP = Bootstrap(resamples=400)
RECALL, PASSED = 0.75, 0.85
"""Of generated and of real cases, in truth."""
SOURCES, WITHIN = 30, 8


def holds(found: Estimate, truth: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low <= truth <= found.high


def plain(columns: Callable[..., Columns], seed: int) -> Columns:
    """60 independent cases a side, with scores one standard deviation apart."""
    random = np.random.default_rng(seed)
    truth = np.repeat([0, 1], 60)
    right = random.random(120) < np.where(truth == 1, RECALL, PASSED)
    return columns(truth, np.where(right, truth, 1 - truth), random.normal(truth, 1.0))


def clustered(columns: Callable[..., Columns], seed: int, sourced: bool = True) -> Columns:
    """Sources with 4 cases a side, right with a chance of their own: an intra-cluster correlation of 1/4."""
    random = np.random.default_rng(seed)
    source = np.repeat(np.arange(SOURCES), WITHIN)
    truth = np.tile([0, 1], SOURCES * WITHIN // 2)
    chance = [random.beta(3 * share, 3 * (1 - share), SOURCES)[source] for share in (PASSED, RECALL)]
    right = random.random(len(truth)) < np.where(truth == 1, chance[1], chance[0])
    return columns(truth, np.where(right, truth, 1 - truth), source=source if sourced else None)


def estimates(rows: Columns) -> dict[str, Estimate]:
    sample, ranking = Sample.of(rows), Ranking.of(rows)
    answered = views(rows, ranking)[0]
    wanted = {"balanced_accuracy": statistics(answered)["balanced_accuracy"], "auc": auc(rows, ranking)}
    real = rows.truth == 0
    rates = {
        "false_positive_rate": rate(rows.called == 1, real, sample),
        "accuracy": rate(rows.called == rows.truth, rows.labelled, sample),
    }
    return BOOTSTRAP.estimates(wanted, sample) | rates


TRUTHS = {
    "balanced_accuracy": (RECALL + PASSED) / 2,
    "accuracy": (RECALL + PASSED) / 2,
    "false_positive_rate": 1 - PASSED,
    "auc": (1 + math.erf(0.5)) / 2,
}


def coverage(make: Callable[[int], Columns], names: tuple[str, ...]) -> dict[str, float]:
    held = dict.fromkeys(names, 0)
    for seed in range(DATA_SETS):
        found = estimates(make(seed))
        for name in names:
            held[name] += holds(found[name], TRUTHS[name])
    return {name: count / DATA_SETS for name, count in held.items()}


def test_intervals_of_independent_cases_hold(columns) -> None:
    shares = coverage(lambda seed: plain(columns, seed), tuple(TRUTHS))
    assert {name: share for name, share in shares.items() if not 0.92 <= share <= 0.98} == {}


def test_intervals_of_cases_from_sources_hold(columns) -> None:
    names = ("balanced_accuracy", "accuracy", "false_positive_rate")
    shares = coverage(lambda seed: clustered(columns, seed), names)
    assert {name: share for name, share in shares.items() if not 0.92 <= share <= 0.98} == {}


def test_without_the_sources_they_would_not(columns) -> None:
    names = ("balanced_accuracy", "accuracy", "false_positive_rate")
    shares = coverage(lambda seed: clustered(columns, seed, sourced=False), names)
    assert max(shares.values()) < 0.92


def test_each_side_keeps_its_number_of_cases(columns) -> None:
    rows = columns([1] * 3 + [0] * 7, [1] * 10)
    seen: list[Floats] = []
    watch = Statistic(10, lambda weights: seen.append(weights) or weights[:, 0])  # type: ignore[func-returns-value]
    Bootstrap(resamples=50).estimates({"watch": watch}, Sample.of(rows))
    weights = np.concatenate(seen[1:])
    assert weights.shape == (50, 10)
    assert set(weights[:, :3].sum(axis=1)) == {3.0}
    assert set(weights[:, 3:].sum(axis=1)) == {7.0}


def test_sources_are_drawn_whole(columns) -> None:
    rows = columns([0, 0] * 6, [0] * 12, source=np.arange(12) // 2)
    seen: list[Floats] = []
    watch = Statistic(12, lambda weights: seen.append(weights) or weights[:, 0])  # type: ignore[func-returns-value]
    found = Bootstrap(resamples=50).estimates({"watch": watch}, Sample.of(rows))["watch"]
    weights = np.concatenate(seen[1:])
    assert (weights[:, ::2] == weights[:, 1::2]).all()
    assert set(weights.sum(axis=1)) == {12.0}
    assert (found.method, found.units) == (Method.BOOTSTRAP, 6)


def test_few_units_widen_the_percentiles(columns) -> None:
    """With 5 units the normal quantile 1.96 becomes √(5/4) · 2.776 = 3.10, which leaves 0.1 % instead of 2.5 %.

    One of five is right: at least 3 of 5 are in 5.8 % of the resamples, 4 in 0.67 %, 5 in 0.03 %.
    """
    few = columns([0] * 5, [1, 1, 1, 1, 0])
    found = Bootstrap(resamples=20_000).estimates(differing(views(few, Ranking.of(few))[0]), Sample.of(few))["accuracy"]
    assert (found.low, found.high) == pytest.approx((0.0, 0.8))


@pytest.mark.parametrize("cells", [1_000_000, 7])
def test_blocks_do_not_change_the_numbers(columns, monkeypatch, cells: int) -> None:
    whole = estimates(plain(columns, 1))
    monkeypatch.setattr("evals.metrics.resample._CELLS", cells * 60)
    parts = estimates(plain(columns, 1))
    for name, estimate in whole.items():
        assert parts[name].value == estimate.value
        assert parts[name].low == pytest.approx(estimate.low, abs=0.03)
