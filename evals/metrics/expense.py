"""What verdicts took: money, calls, tokens, seconds. Unknown stays unknown."""

from __future__ import annotations

import numpy as np

from evals.metrics.arrays import Floats
from evals.metrics.columns import ERROR, Columns
from evals.metrics.estimate import Record


class Spread(Record):
    """One quantity over all judgments, those that ended in an error included. None where nothing is known."""

    known: int
    """Judgments for which it is known; the figures below are of these."""
    unknown: int
    total: float | None
    mean: float | None
    median: float | None
    p95: float | None
    per_verdict: float | None
    """The total over the verdicts, so that errors are paid for too. None if it is unknown for any judgment."""


class Expense(Record):
    """What judgments took. `cost` is in US dollars."""

    judgments: int
    verdicts: int
    """Judgments that did not end in an error."""
    cost: Spread
    calls: Spread
    attempts: Spread
    cache_hits: Spread
    input_tokens: Spread
    cached_tokens: Spread
    output_tokens: Spread
    seconds: Spread


def expense(columns: Columns) -> Expense:
    """The expense of all rows."""
    verdicts = int((columns.called != ERROR).sum())
    spreads = {name: _spread(column, verdicts) for name, column in columns.costs.items()}
    return Expense(judgments=len(columns), verdicts=verdicts, **spreads)


def _spread(column: Floats, verdicts: int) -> Spread:
    known = column[~np.isnan(column)]
    unknown = len(column) - len(known)
    if not len(known):
        return Spread(known=0, unknown=unknown, total=None, mean=None, median=None, p95=None, per_verdict=None)
    total = float(known.sum())
    return Spread(
        known=len(known),
        unknown=unknown,
        total=total,
        mean=float(known.mean()),
        median=float(np.median(known)),
        p95=float(np.quantile(known, 0.95)),
        per_verdict=total / verdicts if verdicts and not unknown else None,
    )
