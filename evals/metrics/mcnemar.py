"""McNemar's test for two arms on the same cases, and Holm's correction when there are several tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.stats import binomtest  # type: ignore[import-untyped]

from evals.metrics.arrays import Bools, Floats, Ints
from evals.metrics.estimate import Record


class McNemar(Record):
    """Who is right where the two disagree in being right."""

    both_right: int
    only_first_right: int
    only_second_right: int
    both_wrong: int
    p_value: float | None
    """Two-sided and exact, for "both are right equally often"; None without a case."""
    test: Literal["binomial", "sign_flip"]
    """`binomial` for independent cases. `sign_flip` for cases that hang together: the two arms are exchanged in whole
    units, in all ways; with one case a unit it is the binomial test."""
    units: int
    """Sources or cases taken as independent."""


def mcnemar(first: Bools, second: Bools, unit: Ints) -> McNemar:
    """The test on paired judgments.

    Args:
        first: whether the first arm is right, one flag a row.
        second: whether the second arm is, same rows.
        unit: which rows hang together.

    """
    only_first, only_second = first & ~second, second & ~first
    balance = only_first.astype(np.int64) - only_second
    inside = np.unique(unit, return_inverse=True)[1]
    units = len(np.unique(inside))
    clustered = units < len(unit)
    if not len(unit):
        p_value = None
    elif clustered:
        p_value = _sign_flip(np.bincount(inside, weights=balance).astype(np.int64))
    else:
        p_value = _binomial(int(only_first.sum()), int(only_second.sum()))
    return McNemar(
        both_right=int((first & second).sum()),
        only_first_right=int(only_first.sum()),
        only_second_right=int(only_second.sum()),
        both_wrong=int((~first & ~second).sum()),
        p_value=p_value,
        test="sign_flip" if clustered else "binomial",
        units=units,
    )


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Holm's adjusted p-values, in the given order; None stays None and does not count as a test."""
    known = sorted((value, place) for place, value in enumerate(p_values) if value is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (value, place) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * value))
        adjusted[place] = highest
    return tuple(adjusted)


def _binomial(one: int, other: int) -> float:
    return float(binomtest(one, one + other).pvalue) if one + other else 1.0


def _sign_flip(balance: Ints) -> float:
    """The share of all sign changes of the units' balances whose sum lies at least as far from 0."""
    steps = np.abs(balance[balance != 0])
    reach = int(steps.sum())
    chances: Floats = np.zeros(2 * reach + 1)
    chances[reach] = 1.0
    for step in steps.tolist():
        chances = (np.roll(chances, step) + np.roll(chances, -step)) / 2
    sums = np.arange(-reach, reach + 1)
    return min(1.0, float(chances[np.abs(sums) >= abs(int(balance.sum()))].sum()))
