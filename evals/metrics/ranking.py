"""Cases ranked from real to generated: the number to rank by, AUC and average precision."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from evals.metrics.arrays import Bools, Floats, Ints, ratio
from evals.metrics.columns import GENERATED, Columns
from evals.metrics.resample import Statistic

RankedBy = Literal["p_generated", "score"]


@dataclasses.dataclass(frozen=True)
class Ranking:
    """What the rows are ranked by."""

    by: RankedBy | None
    """None when no row has either number."""
    values: Floats
    """Higher for generated; NaN for a row that has none."""
    middle: float
    """The value that leans to neither side: 0.5 of a probability, 0 of a score."""

    @classmethod
    def of(cls, columns: Columns) -> Ranking:
        """By `p_generated` where any row has one, else by `score`: the two are never mixed.

        Where a calibration gives the chances, a row without one (too few answered) cannot be ranked. To rank all by
        their votes because of it would measure the votes and not the calibration.
        """
        if not np.isnan(columns.p_generated).all():
            return cls("p_generated", columns.p_generated, 0.5)
        return cls(None if np.isnan(columns.score).all() else "score", columns.score, 0.0)

    @property
    def known(self) -> Bools:
        """Rows that can be ranked."""
        return ~np.isnan(self.values)


@dataclasses.dataclass(frozen=True)
class Ties:
    """Rows in order of a value, with equal values as one group."""

    rows: Ints
    starts: Ints
    """Where each group begins in `rows`."""

    @classmethod
    def of(cls, values: Floats, among: Bools) -> Ties:
        """The rows `among`, by ascending value."""
        rows = np.flatnonzero(among)
        rows = rows[np.argsort(values[rows], kind="stable")]
        ordered = values[rows]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(rows)])
        return cls(rows, starts)

    def sums(self, weights: Floats) -> Floats:
        """The weights (resamples × all rows), added up in each group."""
        return np.add.reduceat(weights[:, self.rows], self.starts, axis=1)


def auc(columns: Columns, ranking: Ranking) -> Statistic:
    """Area under the ROC curve: how often a generated case ranks above a real one, ties counting half.

    Over all labelled cases that can be ranked, undecided ones included.
    """
    among = columns.labelled & ranking.known
    ties = Ties.of(ranking.values, among)
    generated = (columns.truth == GENERATED).astype(np.float64)

    def of(weights: Floats) -> Floats:
        if not len(ties.rows):
            return np.full(len(weights), np.nan)
        every = ties.sums(weights)
        positive = ties.sums(weights * generated)
        negative = every - positive
        below = np.cumsum(negative, axis=1)
        won = np.einsum("ij,ij->i", positive, below - negative / 2)
        return ratio(won, positive.sum(axis=1) * below[:, -1])

    return Statistic(int(among.sum()), of)


def average_precision(columns: Columns, ranking: Ranking) -> Statistic:
    """The mean precision over the generated cases, from the top of the ranking, without interpolation.

    It depends on the share of generated cases in the data. Undefined without cases of both sides.
    """
    among = columns.labelled & ranking.known
    ties = Ties.of(-ranking.values, among)
    generated = (columns.truth == GENERATED).astype(np.float64)

    def of(weights: Floats) -> Floats:
        if not len(ties.rows):
            return np.full(len(weights), np.nan)
        called = np.cumsum(ties.sums(weights), axis=1)
        positive = ties.sums(weights * generated)
        found = np.cumsum(positive, axis=1)
        precise = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
        both = np.where(found[:, -1] < called[:, -1], found[:, -1], 0.0)
        return ratio(np.einsum("ij,ij->i", positive, precise), both)

    return Statistic(int(among.sum()), of)
