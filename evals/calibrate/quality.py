"""How good held-out chances are: rates with exact intervals, ranking, calibration error, what base rates make of it."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit  # type: ignore[import-untyped]
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

from evals.calibrate.fit import HeldOut
from evals.metrics.arrays import Bools, Floats
from evals.metrics.rate import clopper_pearson
from evals.vote_table import GENERATED, REAL, VoteTable
from fusion.calibration import BaseRate, Quality, Rate

BINS = 10
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
    """Mean distance between chance and share in ten bins of equal width, the classes weighted to the prior."""
    weights = np.ones(len(chance))
    if generated.any() and not generated.all():
        weights = np.where(generated, prior / generated.mean(), (1 - prior) / (1 - generated.mean()))
    places = np.minimum((chance * BINS).astype(np.int64), BINS - 1)
    said = np.bincount(places, weights * chance, BINS)
    came = np.bincount(places, weights * generated, BINS)
    return float(np.abs(said - came).sum() / weights.sum())


def false_positives(table: VoteTable, held: HeldOut) -> Rate | None:
    """Photographs called generated; None without photographs."""
    real = held.known & ~table.generated
    return rate(held.calls[real] == GENERATED) if real.any() else None


def misses(table: VoteTable, held: HeldOut) -> Rate:
    """Generated pictures called real."""
    return rate(held.calls[held.known & table.generated] == REAL)


def found(table: VoteTable, held: HeldOut) -> Rate:
    """Generated pictures called generated."""
    return rate(held.calls[held.known & table.generated] == GENERATED)


def rate(hits: Bools) -> Rate:
    """The share of hits, with its Clopper-Pearson interval."""
    count, of = int(hits.sum()), len(hits)
    low, high = clopper_pearson(count, of)
    share = count / of
    low, high = min(round(low, _DIGITS), share), max(round(high, _DIGITS), share)
    return Rate(rate=share, low=low, high=high, count=count, of=of)


def supported(photographs: int, target: float) -> bool:
    """Whether so many photographs without one mistake would show that the rate is below the target."""
    return clopper_pearson(0, photographs)[1] <= target


def needed(target: float) -> int:
    """How many photographs without a mistake show that the rate is below the target."""
    return int(np.ceil(np.log(0.025) / np.log1p(-target)))


def base_rates(found_rate: Rate, false: Rate) -> tuple[BaseRate, ...]:
    """Of 100 pictures called generated, how many are, at base rates of 1, 10 and 50 of 100."""
    return tuple(
        BaseRate(
            generated_of_100=share,
            right_of_100=_right(share, found_rate.rate, false.rate),
            at_least=_right(share, found_rate.low, false.high),
        )
        for share in BASE_RATES
    )


def _right(share: float, found_rate: float, false_rate: float) -> float | None:
    true, wrong = share * found_rate, (100 - share) * false_rate
    return round(100 * true / (true + wrong), 1) if true + wrong else None
