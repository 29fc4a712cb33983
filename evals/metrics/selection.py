"""Answering only where it is sure: the error among the surest cases, and the area under that curve."""

from __future__ import annotations

import dataclasses

import numpy as np

from evals.metrics.arrays import Bools, Floats, ratio
from evals.metrics.columns import REAL, Columns
from evals.metrics.estimate import Record
from evals.metrics.ranking import Ranking, Ties
from evals.metrics.resample import Statistic
from evals.metrics.view import forced


class RiskPoint(Record):
    """The surest cases, down to some confidence."""

    coverage: float
    """Their share of all labelled cases."""
    risk: float
    """The share of errors among them."""
    confidence: float
    """How far the least sure of them lies from the middle of the ranking number."""


@dataclasses.dataclass(frozen=True)
class Selection:
    """Labelled rows by confidence: the distance of the ranking number from its middle, the forced label as the answer.

    Rows without that number cannot be ordered and are left out, so that the curve ends below full coverage. Rows of
    equal confidence are in random order, of which the expected value is taken.
    """

    ties: Ties
    wrong: Floats
    confidence: Floats
    labelled: int

    @classmethod
    def of(cls, columns: Columns, ranking: Ranking) -> Selection:
        """The rows' order."""
        called = forced(columns, ranking)
        among: Bools = columns.labelled & ranking.known & (called >= REAL)
        confidence = np.abs(ranking.values - ranking.middle)
        wrong = (called != columns.truth).astype(np.float64)
        return cls(Ties.of(-confidence, among), wrong, confidence, int(columns.labelled.sum()))

    def points(self) -> tuple[RiskPoint, ...]:
        """The curve, from the surest group of equal confidence on."""
        if not len(self.ties.rows):
            return ()
        ones = np.ones((1, len(self.wrong)))
        cases = np.cumsum(self.ties.sums(ones)[0])
        errors = np.cumsum(self.ties.sums(ones * self.wrong)[0])
        last = self.confidence[self.ties.rows[self.ties.starts]]
        return tuple(
            RiskPoint(coverage=float(n / self.labelled), risk=float(e / n), confidence=float(sure))
            for n, e, sure in zip(cases, errors, last, strict=True)
        )

    def aurc(self) -> Statistic:
        """Area under the risk-coverage curve: the risk, averaged over all numbers of cases answered. Lower is better.

        Coverage counts from 0 to 1 over the cases that can be ordered.
        """

        def of(weights: Floats) -> Floats:
            if not len(self.ties.rows):
                return np.full(len(weights), np.nan)
            cases = self.ties.sums(weights)
            errors = self.ties.sums(weights * self.wrong)
            return _area(cases, errors)

        return Statistic(len(self.ties.rows), of)


def _area(cases: Floats, errors: Floats) -> Floats:
    """The mean risk, of resamples × groups.

    With K cases and E errors before a group of m cases and an error share r, the expected risk after j of them is
    (E + j·r) / (K + j); over j = 1 … m that adds up to m·r + (E - r·K) · (H(K + m) - H(K)), H the harmonic numbers.
    """
    reached = np.cumsum(cases, axis=1)
    total = reached[:, -1].astype(np.int64)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, max(1, int(total.max())) + 1))])
    after = harmonic[reached.astype(np.int64)]
    before = np.concatenate([np.zeros((len(after), 1)), after[:, :-1]], axis=1)
    share = np.divide(errors, cases, out=np.zeros_like(errors), where=cases > 0)
    earlier = np.cumsum(errors, axis=1) - errors - share * (reached - cases)
    area = (errors + earlier * (after - before)).sum(axis=1)
    return ratio(area, total.astype(np.float64))
