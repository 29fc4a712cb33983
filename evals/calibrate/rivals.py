"""What a fit must be compared with: every voter alone, and the plain majority."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.special import stdtrit  # type: ignore[import-untyped]

from evals.calibrate.fit import HeldOut
from evals.folds import Folds, units
from evals.metrics.arrays import Bools, Floats, Ints
from evals.vote_table import GENERATED, REAL, VoteTable

MARGIN = 0.01
"""A fit that is right in less than one case of 100 fewer than the best voter recovers it."""


class Comparison(BaseModel):
    """Accuracies with a label for every case; where there is none, half a case counts as right, as with a coin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int
    """Held-out cases that all of these are measured on."""
    voters: dict[str, float]
    """Of each voter alone. A score calls generated what lies above a threshold that is fitted on the other cases."""
    best_single: str
    """The best voter of these, chosen in hindsight, so its accuracy is optimistic."""
    best_single_accuracy: float
    best_single_held_out: float
    """Of the voter that was best on the other cases, fold by fold."""
    majority: float
    """Of the plain majority of the votes."""
    fitted: float
    """Of the fit on the other cases, with their balance of classes."""
    fitted_even: float
    """Of the same fit with even odds before the votes, which is how `ablate` counts it."""
    difference: float
    """`fitted` less `best_single_held_out`."""
    difference_interval: tuple[float, float]
    """95 %, from the cases in pairs; those of one source hang together where a side has sources enough."""
    recovers: bool
    """Whether the fit comes up to the best voter, within one case of 100."""
    majority_loses: bool
    """Whether the plain majority falls behind the best voter by more than one case of 100."""


def compare(table: VoteTable, folds: Folds, held: HeldOut) -> Comparison:
    """The fit beside its rivals, on the same held-out cases."""
    alone = np.full((len(table), len(table.voters)), np.nan)
    chosen = np.full(len(table), np.nan)
    for train, out in folds.splits:
        fitted_on, judged = singles(table, train, train), singles(table, train, out)
        alone[out] = judged
        chosen[out] = judged[:, int(np.argmax(fitted_on.mean(axis=0)))]
    rows = held.known
    fitted = right(np.sign(held.at_balance[rows]), table.generated[rows])
    apart = fitted - chosen[rows]
    middle, spread = float(apart.mean()), _spread(apart, units(table)[rows])
    voters = {name: _share(alone[rows, column]) for column, name in enumerate(table.voters)}
    best = max(voters, key=lambda name: voters[name])
    majority = _share(right(majority_of(table), table.generated)[rows])
    return Comparison(
        n=int(rows.sum()),
        voters=voters,
        best_single=best,
        best_single_accuracy=voters[best],
        best_single_held_out=_share(chosen[rows]),
        majority=majority,
        fitted=_share(fitted),
        fitted_even=_share(right(np.sign(held.margins[rows]), table.generated[rows])),
        difference=round(middle, 6),
        difference_interval=(round(max(middle - spread, -1.0), 6), round(min(middle + spread, 1.0), 6)),
        recovers=middle >= -MARGIN,
        majority_loses=majority < _share(chosen[rows]) - MARGIN,
    )


def _spread(apart: Floats, unit: Ints) -> float:
    """Half the width of the 95 % interval of a mean, from how far the sums of the units are from what it predicts."""
    place = np.unique(unit, return_inverse=True)[1]
    off = np.bincount(place, weights=apart - apart.mean())
    error = float(np.sqrt(len(off) / (len(off) - 1) * (off @ off))) / len(apart)
    return float(stdtrit(len(off) - 1, 0.975)) * error


def right(lean: Floats, generated: Bools) -> Floats:
    """1 where a lean (above 0 for generated) is right, 0 where it is wrong, 0.5 where there is none."""
    truth = np.where(generated, 1.0, -1.0)
    return np.asarray((1 + np.sign(lean) * truth) / 2, dtype=np.float64)


def majority_of(table: VoteTable) -> Floats:
    """Votes for generated less votes for real, of each case."""
    return np.asarray(signed(table).sum(axis=1), dtype=np.float64)


def signed(table: VoteTable) -> Floats:
    """1 for a vote for generated, -1 for one for real, 0 for none: cases × voters."""
    return np.where(np.isin(table.said, (GENERATED, REAL)), table.said, 0).astype(np.float64)


def singles(table: VoteTable, train: Ints, rows: Ints) -> Floats:
    """How far each voter alone is right in each of the rows; scores get their threshold from `train`."""
    leans = signed(table.take(rows))
    for column in range(len(table.voters)):
        known = train[~np.isnan(table.score[train, column])]
        if len(known):
            threshold = _threshold(table.score[known, column], table.generated[known])
            score = table.score[rows, column]
            leans[:, column] = np.where(np.isnan(score), 0.0, np.where(score >= threshold, 1.0, -1.0))
    return np.stack([right(leans[:, column], table.generated[rows]) for column in range(leans.shape[1])], axis=1)


def _threshold(score: Floats, generated: Bools) -> float:
    """From where on a score is best called generated."""
    order = np.argsort(score, kind="stable")
    score, truth = score[order], generated[order].astype(np.int64)
    # Right when the first `k` are called real: reals below, generated ones from there on.
    below = np.concatenate([[0], np.cumsum(1 - truth)])
    correct = below + truth.sum() - np.concatenate([[0], np.cumsum(truth)])
    possible = np.concatenate([[True], score[1:] > score[:-1], [True]])
    place = int(np.argmax(np.where(possible, correct, -1)))
    if place == 0:
        return float("-inf")
    return float("inf") if place == len(score) else float(score[place - 1] / 2 + score[place] / 2)


def _share(values: Floats) -> float:
    return round(float(values.mean()), 6)
