"""Shares with exact intervals: a share of no event in n cases is not known to be 0."""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv, stdtrit  # type: ignore[import-untyped]

from evals.metrics.arrays import Bools, Floats, Ints
from evals.metrics.estimate import Estimate, Method
from evals.metrics.sample import MIN_UNITS, Sample

LEVEL = 0.95


def rate(hits: Bools, among: Bools, sample: Sample, level: float = LEVEL) -> Estimate:
    """The share of `hits` in `among`, both one flag a row, as `share` gives it."""
    rows = np.flatnonzero(among)
    return share(hits[rows], sample.unit[rows], sample.case[rows], level)


def share(hits: Bools, unit: Ints, case: Ints, level: float = LEVEL) -> Estimate:
    """The share of `hits`, one flag a row, with the unit and the case of each row.

    Independent cases give the Clopper-Pearson interval. Cases that hang together (by source, or as repeats of one case)
    give Korn and Graubard's: Clopper-Pearson on the effective number of cases, which is what the spread between units
    leaves, at most one for each case. When nothing or everything is a hit there is no spread to see, and only the count
    of cases and of units counts. When the rows lie in fewer than `MIN_UNITS` units, cases are the units.
    """
    n, events = len(hits), int(np.count_nonzero(hits))
    if n == 0:
        return Estimate(value=None, n=0, events=0)
    cases = len(np.unique(case))
    if len(np.unique(unit)) < min(MIN_UNITS, cases):
        unit = case
    inside = np.unique(unit, return_inverse=True)[1]
    units = int(inside.max()) + 1
    if units == n:
        low, high = clopper_pearson(events, n, level)
        method = Method.CLOPPER_PEARSON
    else:
        effective = _effective(hits.astype(np.float64), inside, cases, level)
        low, high = clopper_pearson(events / n * effective, effective, level)
        method = Method.KORN_GRAUBARD
    return Estimate(value=events / n, n=n, events=events, low=low, high=high, method=method, units=units)


def clopper_pearson(events: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """The exact interval of a share; both may be effective numbers, with 0 <= events <= n and n > 0."""
    tail = (1 - level) / 2
    low = 0.0 if events <= 0 else float(betaincinv(events, n - events + 1, tail))
    high = 1.0 if events >= n else float(betaincinv(events + 1, n - events, 1 - tail))
    return low, high


def _effective(hits: Floats, unit: Ints, cases: int, level: float) -> float:
    """How many independent cases tell as much as these."""
    n, units = len(hits), int(unit.max()) + 1
    if units == 1:
        return 1.0
    share = float(hits.mean())
    off = np.bincount(unit, weights=hits - share, minlength=units)
    variance = units / (units - 1) * float(off @ off) / n**2
    plain = share * (1 - share) / n
    design = max(1.0, variance / plain) if plain > 0 else 1.0
    tail = (1 - level) / 2
    freedom = (float(stdtrit(n - 1, tail)) / float(stdtrit(units - 1, tail))) ** 2
    return min(n / design * freedom, float(cases))
