"""How good held-out chances are: rates with exact intervals, ranking, calibration error, what base rates make of it."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit  # type: ignore[import-untyped]
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

from evals.calibrate.fit import HeldOut
from evals.folds import units
from evals.metrics.arrays import Bools, Floats, Ints
from evals.metrics.rate import share
from evals.metrics.reliability import equal_mass
from evals.vote_table import GENERATED, REAL, VoteTable
from fusion.calibration import BaseRate, Quality, Rate

BASE_RATES = (1.0, 10.0, 50.0)
"""Generated pictures among 100."""
_DIGITS = 6


def quality(table: VoteTable, held: HeldOut, prior: float) -> Quality:
    """The quality of held-out chances at a prior."""
    rows = held.known
    truth, margins = table.generated[rows], held.margins[rows]
    both = bool(truth.any() and not truth.all())
    lean = np.where(margins > 0, 1.0, np.where(margins < 0, 0.0, 0.5))
    balanced = (lean[truth].mean() + 1 - lean[~truth].mean()) / 2 if both else None
    return Quality(
        n=int(rows.sum()),
        balanced_accuracy=None if balanced is None else round(float(balanced), _DIGITS),
        auc=round(float(roc_auc_score(truth, margins)), _DIGITS) if both else None,
        ece=round(calibration_error(np.asarray(expit(margins + logit(prior))), truth, prior), _DIGITS),
        false_positives=false_positives(table, held),
    )


def calibration_error(chance: Floats, generated: Bools, prior: float) -> float:
    """Mean distance between chance and share, in the bins of `equal_mass`, the classes weighted to the prior."""
    weights = np.ones(len(chance))
    if generated.any() and not generated.all():
        weights = np.where(generated, prior / generated.mean(), (1 - prior) / (1 - generated.mean()))
    places = equal_mass(chance)
    said, came = np.bincount(places, weights * chance), np.bincount(places, weights * generated)
    return float(np.abs(said - came).sum() / weights.sum())


def false_positives(table: VoteTable, held: HeldOut) -> Rate | None:
    """Photographs called generated; None without photographs."""
    real = held.known & ~table.generated
    return rate(held.calls[real] == GENERATED, units(table)[real]) if real.any() else None


def misses(table: VoteTable, held: HeldOut) -> Rate:
    """Generated pictures called real."""
    rows = held.known & table.generated
    return rate(held.calls[rows] == REAL, units(table)[rows])


def found(table: VoteTable, held: HeldOut) -> Rate:
    """Generated pictures called generated."""
    rows = held.known & table.generated
    return rate(held.calls[rows] == GENERATED, units(table)[rows])


def rate(hits: Bools, unit: Ints) -> Rate:
    """The share of hits, one flag a case, with its interval; cases of one unit hang together."""
    found = share(hits, unit, np.arange(len(hits)))
    assert found.value is not None, "there are cases"
    assert found.low is not None, "a share has an interval"
    assert found.high is not None, "a share has an interval"
    value = found.value
    low, high = min(round(found.low, _DIGITS), value), max(round(found.high, _DIGITS), value)
    return Rate(rate=value, low=low, high=high, count=found.events or 0, of=found.n, units=found.units)


def supported(false: Rate, target: float) -> bool:
    """Whether the cases show that the rate is no higher than the target: its interval ends there at the latest."""
    return false.high <= target


def needed(target: float) -> int:
    """How many photographs, each independent and none mistaken, show that the rate is below the target."""
    return int(np.ceil(np.log(0.025) / np.log1p(-target)))


def base_rates(found_rate: Rate, false: Rate) -> tuple[BaseRate, ...]:
    """Of 100 pictures called generated, how many are, at base rates of 1, 10 and 50 of 100."""
    return tuple(
        BaseRate(
            generated_of_100=of_100,
            right_of_100=_right(of_100, found_rate.rate, false.rate),
            at_least=_right(of_100, found_rate.low, false.high),
        )
        for of_100 in BASE_RATES
    )


def _right(of_100: float, found_rate: float, false_rate: float) -> float | None:
    true, wrong = of_100 * found_rate, (100 - of_100) * false_rate
    return round(100 * true / (true + wrong), 1) if true + wrong else None
