"""Asking again: how alike the answers are, and how far the scores vary."""

from __future__ import annotations

import numpy as np

from evals.metrics.arrays import Bools, Floats
from evals.metrics.columns import ERROR, GENERATED, REAL, Columns
from evals.metrics.estimate import Estimate, Record
from evals.metrics.ranking import Ranking, auc
from evals.metrics.rate import LEVEL, rate
from evals.metrics.sample import Sample

_OUTCOMES = 4
"""Generated, real, undecided, error."""


class RepeatScores(Record):
    """One repeat by itself, on answered cases only, but AUC on all that have a score. None is undefined."""

    repeat: int
    judgments: int
    decided: int
    accuracy: float | None
    false_positive_rate: float | None
    miss_rate: float | None
    auc: float | None


class Variation(Record):
    """One score over the repeats in which it is defined."""

    repeats: int
    mean: float | None
    deviation: float | None
    """Standard deviation with n - 1; None with fewer than two repeats."""


class RepeatSummary(Record):
    """The repeats of one arm under one perturbation."""

    arm: str
    perturbation: str
    repeats: tuple[RepeatScores, ...]
    accuracy: Variation
    false_positive_rate: Variation
    miss_rate: Variation
    auc: Variation
    unanimous: Estimate
    """The share of cases, of those judged at least twice, in which all repeats ended alike: generated, real, undecided
    or error."""
    pairwise: float | None
    """How often two repeats of a case ended alike, on average over the cases judged at least twice."""


def repeat_summary(columns: Columns, level: float = LEVEL) -> RepeatSummary:
    """The repeats one by one, and how alike they are."""
    each = tuple(_scores(columns, int(repeat)) for repeat in np.unique(columns.repeat))
    first = np.unique(columns.case.codes, return_index=True)[1]
    counts = _outcomes(columns)
    judged = counts.sum(axis=1)
    again = judged >= 2
    alike = counts.max(axis=1) == judged
    unanimous = rate(alike, again, Sample.of(columns.take(first)), level)
    return RepeatSummary(
        arm=columns.arm,
        perturbation=columns.perturbation,
        repeats=each,
        accuracy=_variation([scores.accuracy for scores in each]),
        false_positive_rate=_variation([scores.false_positive_rate for scores in each]),
        miss_rate=_variation([scores.miss_rate for scores in each]),
        auc=_variation([scores.auc for scores in each]),
        unanimous=unanimous,
        pairwise=_pairwise(counts[again]),
    )


def _outcomes(columns: Columns) -> Floats:
    """Cases × outcomes: how many repeats ended so."""
    case = np.unique(columns.case.codes, return_inverse=True)[1]
    cases = int(case.max()) + 1
    cells = np.bincount(case * _OUTCOMES + columns.called - ERROR, minlength=cases * _OUTCOMES)
    return cells.reshape(cases, _OUTCOMES).astype(np.float64)


def _pairwise(counts: Floats) -> float | None:
    if not len(counts):
        return None
    judged = counts.sum(axis=1)
    return float(((counts * (counts - 1)).sum(axis=1) / (judged * (judged - 1))).mean())


def _scores(columns: Columns, repeat: int) -> RepeatScores:
    rows = columns.take(np.flatnonzero(columns.repeat == repeat))
    decided = rows.decided & rows.labelled
    area = float(auc(rows, Ranking.of(rows)).of(np.ones((1, len(rows))))[0])
    return RepeatScores(
        repeat=repeat,
        judgments=len(rows),
        decided=int(decided.sum()),
        accuracy=_share(rows.called == rows.truth, decided),
        false_positive_rate=_share(rows.called == GENERATED, decided & (rows.truth == REAL)),
        miss_rate=_share(rows.called == REAL, decided & (rows.truth == GENERATED)),
        auc=None if np.isnan(area) else area,
    )


def _share(hits: Bools, among: Bools) -> float | None:
    return float(hits[among].mean()) if among.any() else None


def _variation(values: list[float | None]) -> Variation:
    known = np.array([value for value in values if value is not None])
    return Variation(
        repeats=len(known),
        mean=float(known.mean()) if len(known) else None,
        deviation=float(known.std(ddof=1)) if len(known) > 1 else None,
    )
