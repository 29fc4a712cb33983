from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.metrics.ranking import Ranking
from evals.metrics.selection import Selection

CASES = st.lists(st.tuples(st.booleans(), st.integers(1, 2)), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None)
@given(cases=CASES)
def test_the_area_is_the_mean_over_all_orders_of_equal_confidence(columns, cases) -> None:
    truth = [0] * len(cases)
    rows = columns(truth, [int(wrong) for wrong, _ in cases], [sure if wrong else -sure for wrong, sure in cases])
    areas = []
    for order in itertools.permutations(cases):
        if list(order) == sorted(order, key=lambda case: -case[1]):
            errors = np.cumsum([wrong for wrong, _ in order])
            areas.append(float((errors / np.arange(1, len(order) + 1)).mean()))
    found = Selection.of(rows, Ranking.of(rows)).aurc().of(np.ones((1, len(cases))))[0]
    assert found == pytest.approx(np.mean(areas))


def test_a_case_that_counts_twice_is_two_cases(columns) -> None:
    rows = columns([0, 0, 0], [1, 0, 0], [0.2, -0.9, -0.5])
    area = Selection.of(rows, Ranking.of(rows)).aurc().of(np.array([[1.0, 1, 2], [1, 0, 0], [0, 0, 0]]))
    assert area[:2] == pytest.approx([0.25 / 4, 1.0])
    assert np.isnan(area[2])


def test_without_scores_there_is_no_curve(columns) -> None:
    rows = columns([0, 1], [0, 1])
    selection = Selection.of(rows, Ranking.of(rows))
    assert selection.points() == ()
    assert np.isnan(selection.aurc().of(np.ones((1, 2)))[0])
