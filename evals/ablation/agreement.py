"""How far two voters are one: agreement, kappa, and whether they err on the same cases."""

from __future__ import annotations

import itertools

import numpy as np
from pydantic import BaseModel, ConfigDict

from evals.metrics.arrays import Bools
from evals.vote_table import GENERATED, REAL, VoteTable


class Pair(BaseModel):
    """Two voters, on the cases in which both voted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    one: str
    other: str
    n: int
    """Cases in which both voted."""
    agreement: float | None
    """Share of the same vote; None when there is no case."""
    kappa: float | None
    """Cohen's: agreement beyond chance; None where chance alone would agree always."""
    error_correlation: float | None
    """Phi of being wrong; None when one of the two is always right or always wrong."""
    double_fault: float | None
    """Share of cases in which both are wrong."""


def pairs(table: VoteTable) -> tuple[Pair, ...]:
    """Every two of the table's voters."""
    return tuple(_pair(table, one, other) for one, other in itertools.combinations(range(len(table.voters)), 2))


def phi(one: Bools, other: Bools) -> float | None:
    """The correlation of two flags; None when one of them does not vary."""
    both, first, second = float((one & other).mean()), float(one.mean()), float(other.mean())
    spread = first * (1 - first) * second * (1 - second)
    return None if spread <= 0 else (both - first * second) / float(np.sqrt(spread))


def kappa(one: Bools, other: Bools) -> float | None:
    """Cohen's kappa of two binary judgements; None where chance alone would agree always."""
    first, second = float(one.mean()), float(other.mean())
    chance = first * second + (1 - first) * (1 - second)
    return None if chance >= 1 else (float((one == other).mean()) - chance) / (1 - chance)


def _pair(table: VoteTable, one: int, other: int) -> Pair:
    voted = np.isin(table.said, (GENERATED, REAL))
    both = voted[:, one] & voted[:, other]
    names = {"one": table.voters[one], "other": table.voters[other], "n": int(both.sum())}
    if not both.any():
        return Pair(**names, agreement=None, kappa=None, error_correlation=None, double_fault=None)
    first, second = table.said[both, one] == GENERATED, table.said[both, other] == GENERATED
    truth = table.generated[both]
    wrong, also = first != truth, second != truth
    return Pair(
        **names,
        agreement=float((first == second).mean()),
        kappa=kappa(first, second),
        error_correlation=phi(wrong, also),
        double_fault=float((wrong & also).mean()),
    )
