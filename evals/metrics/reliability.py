"""Whether probabilities mean what they say: calibration error, Brier score, and the points of a reliability diagram."""

from __future__ import annotations

import dataclasses

import numpy as np

from evals.metrics.arrays import Bools, Floats, Ints, ratio
from evals.metrics.columns import GENERATED, Columns
from evals.metrics.estimate import Estimate, Record
from evals.metrics.resample import Statistic

BINS = 10


class ReliabilityPoint(Record):
    """One bin of cases with similar `p_generated`."""

    n: int
    mean_p_generated: float
    share_generated: float
    """How many of them are generated."""


def equal_mass(values: Floats, bins: int = BINS) -> Ints:
    """The bin of each value, from 0 without gaps, so that bins hold about equal numbers of them.

    Not of equal width: probabilities crowd near 0 and 1, where equal widths put almost everything into two bins. Equal
    values are never parted, so that there may be fewer bins than asked for.
    """
    places = np.searchsorted(np.sort(values), values, side="left") * bins // len(values)
    return np.unique(places, return_inverse=True)[1].astype(np.int64)


@dataclasses.dataclass(frozen=True)
class Bins:
    """Labelled rows with a `p_generated`, in the bins of `equal_mass`."""

    rows: Bools
    code: Ints
    """Bin of each row; 0 for rows that are in none."""
    count: int
    probability: Floats
    """0 for rows that are in no bin."""
    generated: Floats

    @classmethod
    def of(cls, columns: Columns, bins: int = BINS) -> Bins:
        """The rows' bins."""
        rows = columns.labelled & ~np.isnan(columns.p_generated)
        values = columns.p_generated[rows]
        code = np.zeros(len(rows), dtype=np.int64)
        if len(values):
            code[rows] = equal_mass(values, bins)
        probability = np.where(rows, columns.p_generated, 0.0)
        generated = (rows & (columns.truth == GENERATED)).astype(np.float64)
        return cls(rows, code, int(code.max(initial=0)) + 1, probability, generated)

    @property
    def n(self) -> int:
        """Rows in bins."""
        return int(self.rows.sum())

    def points(self) -> tuple[ReliabilityPoint, ...]:
        """The bins, from low to high probability."""
        if not self.n:
            return ()
        cases, predicted, generated = self._sums(np.ones((1, len(self.rows))))
        return tuple(
            ReliabilityPoint(n=int(n), mean_p_generated=float(p / n), share_generated=float(y / n))
            for n, p, y in zip(cases[0], predicted[0], generated[0], strict=True)
        )

    def _sums(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """Cases, their probabilities and the generated ones among them: resamples × bins."""
        member = (self.code[:, None] == np.arange(self.count)) & self.rows[:, None]
        return (
            weights @ member.astype(np.float64),
            weights @ (member * self.probability[:, None]),
            weights @ (member * self.generated[:, None]),
        )

    def ece(self) -> Estimate:
        """Expected calibration error of `p_generated`: |mean probability - share generated|, weighted by bin.

        Without an interval. The distances are never below 0, so that chance alone lifts the number above what it
        estimates; resampling adds the same once more, and its percentiles may even leave out the number itself.
        """
        if not self.n:
            return Estimate(value=None, n=0)
        _, predicted, generated = self._sums(np.ones((1, len(self.rows))))
        return Estimate(value=float(np.abs(predicted - generated).sum()) / self.n, n=self.n)

    def brier(self) -> Statistic:
        """Mean squared difference between `p_generated` and the truth (1 for generated)."""
        squares = np.where(self.rows, (self.probability - self.generated) ** 2, 0.0)
        inside = self.rows.astype(np.float64)
        return Statistic(self.n, lambda weights: ratio(weights @ squares, weights @ inside))
