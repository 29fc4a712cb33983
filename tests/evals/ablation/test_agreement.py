from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, matthews_corrcoef

from evals.ablation.agreement import kappa, pairs, phi
from evals.vote_table import VoteTable, one_each
from tests.evals.simulated import judgments


def test_a_pair_by_hand() -> None:
    # Both vote in five cases: same in four; wrong together once; p0 wrong twice, p1 once.
    rows = [("g", "gg"), ("g", "rr"), ("r", "rr"), ("r", "gr"), ("r", "rr"), ("g", "gu"), ("g", "x.")]
    (pair,) = pairs(VoteTable.of(one_each(judgments(rows))))
    assert (pair.one, pair.other, pair.n) == ("p0", "p1", 5)
    assert pair.agreement == pytest.approx(4 / 5)
    # p0 says generated in 2 of 5, p1 in 1 of 5: chance agreement is .08 + .48.
    assert pair.kappa == pytest.approx((0.8 - 0.56) / (1 - 0.56))
    # Errors: p0 in 2 of 5, p1 in 1 of 5, both in 1 of 5.
    assert pair.error_correlation == pytest.approx((0.2 - 0.4 * 0.2) / (0.4 * 0.6 * 0.2 * 0.8) ** 0.5)
    assert pair.double_fault == pytest.approx(1 / 5)


def test_they_are_what_scikit_learn_makes_of_them() -> None:
    random = np.random.default_rng(1)
    one, other = random.random(200) < 0.6, random.random(200) < 0.3
    assert kappa(one, other) == pytest.approx(cohen_kappa_score(one, other))
    assert phi(one, other) == pytest.approx(matthews_corrcoef(one, other))


def test_what_cannot_be_said_is_none() -> None:
    (pair,) = pairs(VoteTable.of(one_each(judgments([("g", "gg"), ("g", "gg")]))))
    assert (pair.agreement, pair.kappa, pair.error_correlation, pair.double_fault) == (1.0, None, None, 0.0)
    (apart,) = pairs(VoteTable.of(one_each(judgments([("g", "g."), ("r", ".r")]))))
    assert (apart.n, apart.agreement, apart.kappa) == (0, None, None)
