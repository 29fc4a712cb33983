from __future__ import annotations

import numpy as np

from evals.metrics.curves import MOST_POINTS, Curves, curves, thinned
from evals.metrics.ranking import Ranking


def drawn(rows) -> Curves:
    return curves(rows, Ranking.of(rows))


def test_roc_and_precision_recall_by_hand(columns) -> None:
    found = drawn(columns([0, 1, 0, 1], [0, 0, 1, 1], [0.1, 0.4, 0.4, 0.9]))
    roc = [(point.threshold, point.false_positive_rate, point.true_positive_rate) for point in found.roc]
    assert roc == [(None, 0, 0), (0.9, 0, 0.5), (0.4, 0.5, 1), (0.1, 1, 1)]
    precision = [(point.threshold, point.recall, point.precision) for point in found.precision_recall]
    assert precision == [(0.1, 1, 0.5), (0.4, 1, 2 / 3), (0.9, 0.5, 1), (None, 0, 1)]


def test_what_is_undefined_is_empty(columns) -> None:
    one_side = drawn(columns([0, 0], [0, 1], [0.1, 0.9]))
    assert (one_side.roc, one_side.precision_recall, one_side.reliability) == ((), (), ())
    assert len(one_side.risk_coverage) == 2
    assert drawn(columns([0, 1], [0, 1])) == Curves(roc=(), precision_recall=(), reliability=(), risk_coverage=())


def test_long_curves_are_thinned_and_keep_their_ends(columns) -> None:
    random = np.random.default_rng(0)
    truth = random.integers(2, size=5000)
    found = drawn(columns(truth, truth, random.normal(truth)))
    assert len(found.roc) <= MOST_POINTS
    assert (found.roc[0].true_positive_rate, found.roc[-1].true_positive_rate) == (0, 1)
    assert thinned(range(1000))[:1] + thinned(range(1000))[-1:] == (0, 999)
    assert thinned([1, 2]) == (1, 2)
