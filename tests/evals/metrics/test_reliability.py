from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from evals.metrics.reliability import Bins


def binned(columns, truth, chances, bins: int) -> Bins:
    rows = columns(truth, [max(side, 0) for side in truth])
    return Bins.of(dataclasses.replace(rows, p_generated=np.array(chances)), bins)


def test_two_bins_by_hand(columns) -> None:
    """Means .15 and .85, half generated in each: both are off by .35."""
    bins = binned(columns, [0, 1, 1, 0], [0.1, 0.2, 0.8, 0.9], 2)
    points = [(point.n, point.mean_p_generated, point.share_generated) for point in bins.points()]
    assert points == [(2, pytest.approx(0.15), 0.5), (2, pytest.approx(0.85), 0.5)]
    assert (bins.ece().value, bins.ece().n) == (pytest.approx(0.35), 4)
    assert bins.brier().of(np.ones((1, 4))) == pytest.approx([(0.01 + 0.64 + 0.04 + 0.81) / 4])


def test_weights_count_cases(columns) -> None:
    bins = binned(columns, [0, 1, 1, 0], [0.1, 0.2, 0.8, 0.9], 2)
    weights = np.array([[2.0, 0, 0, 1]])
    assert bins.brier().of(weights) == pytest.approx([(2 * 0.01 + 0.81) / 3])


def test_bins_hold_equal_numbers_and_never_part_equal_values(columns) -> None:
    even = binned(columns, [0] * 20, np.linspace(0, 1, 20), 5)
    assert [point.n for point in even.points()] == [4] * 5
    crowded = binned(columns, [0] * 20, [0.0] * 15 + [0.9] * 3 + [1.0] * 2, 5)
    assert [point.n for point in crowded.points()] == [15, 3, 2]


def test_cases_without_a_probability_or_a_truth_are_left_out(columns) -> None:
    bins = binned(columns, [0, 1, -1], [0.3, np.nan, 0.9], 10)
    assert bins.n == 1
    assert bins.ece().value == pytest.approx(0.3)
    empty = binned(columns, [0, 1], [np.nan, np.nan], 10)
    assert empty.points() == ()
    assert empty.ece().value is None
    assert np.isnan(empty.brier().of(np.ones((1, 2)))).all()


def test_the_calibration_error_claims_no_interval(columns) -> None:
    found = binned(columns, [0, 1, 1, 0] * 30, np.linspace(0, 1, 120), 10).ece()
    assert found.value is not None
    assert (found.low, found.high, found.method) == (None, None, None)
