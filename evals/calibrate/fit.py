"""Fitting a calibration, with thresholds, and the same on held-out cases: never fitted and judged on the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from scipy.special import logit  # type: ignore[import-untyped]

from evals.calibrate.log_odds import fit_log_odds
from evals.calibrate.stacked import fit_stacked
from evals.calibrate.weights import FitOptions, Weights, weights_of
from evals.folds import Folds, in_domain
from evals.metrics.arrays import Bools, Floats
from evals.vote_table import GENERATED, REAL, Votes, VoteTable
from fusion.calibration import Calibration, FittedStrategy

Fitter = Callable[[VoteTable, FitOptions], Weights]
FITTERS: Mapping[FittedStrategy, Fitter] = MappingProxyType({"log_odds": fit_log_odds, "stacked": fit_stacked})
BEYOND = 1.0
"""Log-odds that a threshold lies above the last case that must stay below it, when no other case does."""
LEAN = 0.01
"""Log-odds that the evidence must at least lean to the side of a label."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is fitted, and for which rates."""

    strategy: FittedStrategy
    target_fpr: float = 0.01
    """Photographs that may be called generated."""
    target_miss: float = 0.05
    """Generated pictures that may be called real."""
    minimum: int = 1
    """Voters that must have spoken, inclusive, for a label."""
    options: FitOptions = field(default_factory=FitOptions)
    seed: int = 0


@dataclass(frozen=True)
class Fit:
    """Weights with thresholds on their margins, both inclusive."""

    weights: Weights
    generated: float
    real: float

    def calls(self, table: VoteTable, minimum: int) -> Votes:
        """The label of each case: GENERATED, REAL, or 0 for undecided."""
        margins = self.weights.margins(table)
        called = np.where(margins >= self.generated, GENERATED, np.where(margins <= self.real, REAL, 0))
        return np.where(spoken(table) >= minimum, called, 0).astype(np.int8)


@dataclass(frozen=True)
class HeldOut:
    """What fits on other cases make of each case. Rows that were never held out have NaN as margin."""

    margins: Floats
    at_balance: Floats
    """The margins with the class balance of the cases that were fitted on."""
    calls: Votes

    @property
    def known(self) -> Bools:
        """Rows that were held out."""
        return ~np.isnan(self.margins)


def fit(table: VoteTable, recipe: Recipe) -> Fit:
    """Fit weights, and choose thresholds on cases held out within the table."""
    weights = FITTERS[recipe.strategy](table, recipe.options).rounded()
    fit_weights = FITTERS[recipe.strategy]
    held = np.full(len(table), np.nan)
    for train, out in in_domain(table, recipe.seed).splits:
        held[out] = fit_weights(table.take(train), recipe.options).margins(table.take(out))
    enough = spoken(table) >= recipe.minimum
    inside = weights.margins(table)
    # The final weights differ a little from those of each fold: neither may let more than the target through.
    looks = [
        (margins[use], table.generated[use]) for margins, use in ((held, enough & ~np.isnan(held)), (inside, enough))
    ]
    high = max(above(margins, ~truth, recipe.target_fpr) for margins, truth in looks)
    low = max(above(-margins, truth, recipe.target_miss) for margins, truth in looks)
    return Fit(weights, max(high, LEAN), min(-low, -LEAN))


def above(margins: Floats, wrong: Bools, target: float) -> float:
    """The lowest threshold that, of cases to come, no more than the target's share of the `wrong` ones reaches.

    With n cases of which k reach it, (k + 1) of n + 1 are to be expected among those to come, so k is one less than the
    share alone allows; where there are too few cases for that, none reaches it. The threshold lies midway between the
    highest case that must stay below and the next one, since cases to come fall anywhere between.
    """
    against = np.sort(margins[wrong])[::-1]
    allowed = max(0, math.floor(target * (len(against) + 1) + 1e-9) - 1)
    if allowed >= len(against):
        return -math.inf
    limit = float(against[allowed])
    higher = margins[margins > limit]
    return (limit + float(higher.min())) / 2 if len(higher) else limit + BEYOND


def fit_of(calibration: Calibration, voters: tuple[str, ...]) -> Fit:
    """A calibration file as it applies to tables of these voters. A voter that it does not know weighs nothing."""
    shift = float(logit(calibration.prior))
    low, high = (float(logit(p)) for p in (calibration.thresholds.real, calibration.thresholds.generated))
    return Fit(weights_of(calibration, voters), high - shift, low - shift)


def hold_out(table: VoteTable, recipe: Recipe, folds: Folds) -> HeldOut:
    """Fit on each split, thresholds included, and apply that to what was held out."""
    margins, at_balance = np.full(len(table), np.nan), np.full(len(table), np.nan)
    calls = np.zeros(len(table), dtype=np.int8)
    for train, out in folds.splits:
        inside, outside = table.take(train), table.take(out)
        made = fit(inside, recipe)
        generated, real = inside.classes
        margins[out] = made.weights.margins(outside)
        at_balance[out] = margins[out] + math.log(generated / real)
        calls[out] = made.calls(outside, recipe.minimum)
    return HeldOut(margins, at_balance, calls)


def spoken(table: VoteTable) -> Votes:
    """How many voters have spoken in each case: a vote or a score, but no hedge."""
    spoke = np.isin(table.said, (GENERATED, REAL)) | ~np.isnan(table.score)
    return np.asarray(spoke.sum(axis=1), dtype=np.int8)
