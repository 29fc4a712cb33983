"""Naive Bayes: each answer weighs the logarithm of how much likelier it is for a generated picture than for a real one.

Voters that err together are counted as fewer, since the rule takes them for independent witnesses.
"""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from evals.calibrate.weights import FEATURES, SOLVER, FitOptions, Scales, Weights
from evals.metrics.arrays import Floats
from evals.vote_table import GENERATED, HEDGE, REAL, SILENT, VoteTable

_ANSWERS = (GENERATED, REAL, HEDGE)
FEWEST_SHARED = 10
"""Cases that two voters must both have answered for their correlation to count."""


def fit_log_odds(table: VoteTable, options: FitOptions) -> Weights:
    """The log-likelihood ratios of the answers."""
    scales = Scales.of(table)
    values = np.zeros((len(table.voters), FEATURES))
    for column in range(len(table.voters)):
        values[column, :3] = _ratios(table, column, options.smoothing)
        values[column, 4:] = _score_ratio(table, column, scales, options.strength)
    weights = Weights(table.voters, values, scales)
    if not options.shrink:
        return weights
    counted_as = 1 + np.clip(error_correlations(table), 0, None).sum(axis=1)
    shrunk = Weights(table.voters, values / counted_as[:, None], scales)
    # Dividing keeps the order of the cases but not the size of the sums, which one number puts right.
    return Weights(table.voters, shrunk.values * _slope(shrunk.margins(table), table), scales)


def error_correlations(table: VoteTable) -> Floats:
    """How far two voters depart together from what is usual for the class: voters × voters, 0 on the diagonal."""
    voted = np.isin(table.said, (GENERATED, REAL))
    values = np.where(voted, table.said.astype(np.float64), table.score)
    for side in (table.generated, ~table.generated):
        for column in range(values.shape[1]):
            known = side & ~np.isnan(values[:, column])
            if known.any():
                values[known, column] -= values[known, column].mean()
    count = values.shape[1]
    found = np.zeros((count, count))
    for one in range(count):
        for other in range(one):
            both = ~np.isnan(values[:, one]) & ~np.isnan(values[:, other])
            left, right = values[both, one], values[both, other]
            size = float(np.sqrt((left @ left) * (right @ right)))
            if both.sum() >= FEWEST_SHARED and size > 0:
                found[one, other] = found[other, one] = float(left @ right) / size
    return found


def _ratios(table: VoteTable, column: int, smoothing: float) -> Floats:
    """The log-likelihood ratio of each answer, among the cases that the voter answered; 0 for one never given."""
    said = table.said[:, column]
    kinds = [answer for answer in _ANSWERS if (said == answer).any()]
    ratios = np.zeros(len(_ANSWERS))
    answered = said != SILENT
    logs = []
    for side in (table.generated, ~table.generated):
        total = int((answered & side).sum()) + smoothing * len(kinds)
        logs.append({kind: np.log((int(((said == kind) & side).sum()) + smoothing) / total) for kind in kinds})
    for place, kind in enumerate(_ANSWERS):
        if kind in kinds:
            ratios[place] = logs[0][kind] - logs[1][kind]
    return ratios


def _score_ratio(table: VoteTable, column: int, scales: Scales, strength: float) -> tuple[float, float]:
    """Offset and slope of a score, by logistic regression with both classes at equal weight."""
    known = ~np.isnan(table.score[:, column])
    truth = table.generated[known]
    if not known.any() or truth.all() or not truth.any():
        return 0.0, 0.0
    reach = (table.score[known, column] - scales.center[column]) / scales.spread[column]
    model = LogisticRegression(C=strength, class_weight="balanced", solver=SOLVER).fit(
        np.clip(reach, -4, 4)[:, None], truth
    )
    return float(model.intercept_[0]), float(model.coef_[0, 0])


def _slope(margins: Floats, table: VoteTable) -> float:
    """What the margins must be multiplied with to be log-odds."""
    if not margins.any():
        return 1.0
    model = LogisticRegression(fit_intercept=False, class_weight="balanced", solver=SOLVER).fit(
        margins[:, None], table.generated
    )
    return max(float(model.coef_[0, 0]), 0.05)
