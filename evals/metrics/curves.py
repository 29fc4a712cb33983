"""Curves as plain points, for the report to draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve  # type: ignore[import-untyped]

from evals.metrics.columns import GENERATED, REAL, Columns
from evals.metrics.estimate import Record
from evals.metrics.ranking import Ranking
from evals.metrics.reliability import Bins, ReliabilityPoint
from evals.metrics.selection import RiskPoint, Selection

MOST_POINTS = 400
"""Longer curves are thinned to about this many points, evenly by place, the ends kept."""

_Point = TypeVar("_Point")


class RocPoint(Record):
    """What calling everything from `threshold` up generated would give."""

    threshold: float | None
    """None for the start of the curve, where nothing is called."""
    false_positive_rate: float
    true_positive_rate: float


class PrecisionPoint(Record):
    """What calling everything from `threshold` up generated would give."""

    threshold: float | None
    """None for the end of the curve, where nothing is called."""
    recall: float
    precision: float


class Curves(Record):
    """All curves of an arm; empty where undefined, such as ROC with one side only."""

    roc: tuple[RocPoint, ...]
    precision_recall: tuple[PrecisionPoint, ...]
    reliability: tuple[ReliabilityPoint, ...]
    risk_coverage: tuple[RiskPoint, ...]


def curves(columns: Columns, ranking: Ranking) -> Curves:
    """The curves of all labelled rows that have the numbers for them."""
    return Curves(
        roc=thinned(_roc(columns, ranking)),
        precision_recall=thinned(_precision_recall(columns, ranking)),
        reliability=Bins.of(columns).points(),
        risk_coverage=thinned(Selection.of(columns, ranking).points()),
    )


def thinned(points: Sequence[_Point]) -> tuple[_Point, ...]:
    """At most `MOST_POINTS` of the points, first and last among them."""
    if len(points) <= MOST_POINTS:
        return tuple(points)
    places = np.unique(np.linspace(0, len(points) - 1, MOST_POINTS).round().astype(np.int64))
    return tuple(points[place] for place in places)


def _roc(columns: Columns, ranking: Ranking) -> list[RocPoint]:
    rows = columns.labelled & ranking.known
    if not _both_sides(columns, rows):
        return []
    points = zip(*roc_curve(columns.truth[rows], ranking.values[rows], pos_label=GENERATED), strict=True)
    return [
        RocPoint(threshold=_finite(cut), false_positive_rate=float(alarm), true_positive_rate=float(hit))
        for alarm, hit, cut in points
    ]


def _precision_recall(columns: Columns, ranking: Ranking) -> list[PrecisionPoint]:
    rows = columns.labelled & ranking.known
    if not _both_sides(columns, rows):
        return []
    precision, recall, cuts = precision_recall_curve(columns.truth[rows], ranking.values[rows], pos_label=GENERATED)
    return [
        PrecisionPoint(threshold=_finite(cut), recall=float(found), precision=float(precise))
        for precise, found, cut in zip(precision, recall, [*cuts, np.inf], strict=True)
    ]


def _both_sides(columns: Columns, rows: np.ndarray) -> bool:
    return all(bool((columns.truth[rows] == side).any()) for side in (GENERATED, REAL))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
