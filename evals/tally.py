"""The vote of `fusion.vote`, counted over whole tables at once."""

from __future__ import annotations

import math

import numpy as np

from evals.metrics.arrays import Ints
from evals.vote_table import GENERATED, HEDGE, REAL, Votes, VoteTable
from fusion.decision import Rules
from fusion.vote import ROUNDING


def tally_calls(said: Votes, rules: Rules) -> Votes:
    """The label that the votes alone give each row of `said`: GENERATED, REAL, or 0 for undecided."""
    generated, real, answered = counts(said)
    enough = generated + real >= rules.quorum
    accused = enough & (generated >= rules.generated_share * answered - ROUNDING)
    cleared = enough & ~accused & (real >= rules.real_share * answered - ROUNDING)
    return np.asarray(accused.astype(np.int8) - cleared.astype(np.int8), dtype=np.int8)


def counts(said: Votes) -> tuple[Ints, Ints, Ints]:
    """Votes for generated, votes for real, and answers (hedges included) of each row."""
    generated, real = (said == GENERATED).sum(axis=1), (said == REAL).sum(axis=1)
    return generated, real, generated + real + (said == HEDGE).sum(axis=1)


def scaled(rules: Rules, part: int, whole: int) -> Rules:
    """The rules for a part of the voters: the quorum shrinks with their number, rounded up, to one at least."""
    return rules.model_copy(update={"quorum": max(1, math.ceil(rules.quorum * part / whole - ROUNDING))})


def settled(table: VoteTable, rules: Rules) -> Votes:
    """1 where the votes are enough for a label and none is against it, as `stop_when: agreement` asks; else 0."""
    generated, real, _ = counts(table.said)
    agreed = (generated == 0) | (real == 0)
    return np.asarray((tally_calls(table.said, rules) != 0) & agreed, dtype=np.int8)
