from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from evals.metrics.ranking import Ranking, auc, average_precision

PAIRS = st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(-3, 3), st.integers(0, 3)), min_size=2, max_size=20)


@settings(max_examples=80, deadline=None)
@given(pairs=PAIRS)
def test_weighted_areas_are_those_of_repeated_cases(columns, pairs) -> None:
    """A weight of 3 is the case three times, as scikit-learn counts it."""
    truth, score, weight = (np.array(column) for column in zip(*pairs, strict=True))
    rows = columns(truth, truth, score)
    ranking = Ranking.of(rows)
    found = [float(area(rows, ranking).of(weight[None].astype(float))[0]) for area in (auc, average_precision)]
    truth, score = np.repeat(truth, weight), np.repeat(score, weight)
    if len(set(truth)) < 2:
        assert np.isnan(found).all()
    else:
        assert found == pytest.approx([roc_auc_score(truth, score), average_precision_score(truth, score)])


def test_each_resample_is_by_itself(columns) -> None:
    rows = columns([0, 1, 1], [0, 1, 1], [0.5, 0.2, 0.8])
    area = auc(rows, Ranking.of(rows)).of(np.array([[1.0, 1, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]]))
    assert area[:3].tolist() == [0.5, 0.0, 1.0]
    assert np.isnan(area[3])


def test_no_score_no_area(columns) -> None:
    rows = columns([0, 1], [0, 1])
    ranking = Ranking.of(rows)
    assert (ranking.by, auc(rows, ranking).n) == (None, 0)
    assert np.isnan(auc(rows, ranking).of(np.ones((2, 2)))).all()
    assert np.isnan(average_precision(rows, ranking).of(np.ones((2, 2)))).all()
