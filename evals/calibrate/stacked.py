"""Logistic regression over what was said, with an L2 penalty and both classes at equal weight."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from evals.calibrate.weights import FEATURES, SOLVER, FitOptions, Scales, Weights, design
from evals.vote_table import VoteTable

_CERTAINTY = 3
ITERATIONS = 1000


def fit_stacked(table: VoteTable, options: FitOptions) -> Weights:
    """The weights of the regression."""
    scales = Scales.of(table)
    features = design(table, scales)
    if not options.certainty:
        features[:, _CERTAINTY::FEATURES] = 0.0
    model = LogisticRegression(C=options.strength, class_weight="balanced", solver=SOLVER, max_iter=ITERATIONS)
    model.fit(features, table.generated)
    values = model.coef_[0].reshape(len(table.voters), FEATURES)
    return Weights(table.voters, values, scales, float(model.intercept_[0]))
