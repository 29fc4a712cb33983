"""Every subset of the voters, fused as if nobody else had been asked."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

from evals.calibrate.rivals import right
from evals.metrics.arrays import Bools, Floats
from evals.tally import counts, scaled, tally_calls
from evals.vote_table import GENERATED, REAL, VoteTable
from fusion.decision import Rules

COIN = 0.5
"""What nobody at all is worth, in accuracy, balanced accuracy and AUC: a coin."""


class Subset(BaseModel):
    """Some of the voters. Accuracies are of the majority, for every case; a tie is half right, as with a coin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    voters: tuple[str, ...]
    accuracy: float
    balanced_accuracy: float
    auc: float
    """Ranked by (votes for generated - votes for real) / answers, 0 where nobody answered."""
    quorum: int
    """The ensemble's, scaled to the size of the subset; of this and what follows the `tally` under it."""
    false_positive_rate: float
    """Photographs called generated, of all photographs."""
    miss_rate: float
    """Generated pictures called real, of all generated pictures."""
    decided: float
    """Share of cases with a label."""
    right_of_decided: float | None
    """None when nothing is decided."""


def all_subsets(table: VoteTable, rules: Rules) -> tuple[Subset, ...]:
    """All subsets of the table's voters, the empty one included, by size."""
    return tuple(_subset(table, rules, names) for names in _names(table))


def rightness(table: VoteTable) -> tuple[tuple[tuple[str, ...], ...], Floats]:
    """All subsets but the empty one, by size, and how far the majority of each is right: cases × subsets."""
    subsets = tuple(names for names in _names(table) if names)
    columns = [right(_lean(table.only(names)), table.generated) for names in subsets]
    return subsets, np.stack(columns, axis=1)


def _names(table: VoteTable) -> Iterator[tuple[str, ...]]:
    return (names for size in range(len(table.voters) + 1) for names in itertools.combinations(table.voters, size))


def _subset(table: VoteTable, rules: Rules, names: tuple[str, ...]) -> Subset:
    part = table.only(names)
    own = scaled(rules, len(names), len(table.voters))
    correct = right(_lean(part), part.generated)
    generated, photographs = part.generated, ~part.generated
    calls = tally_calls(part.said, own)
    decided = calls != 0
    return Subset(
        voters=names,
        accuracy=float(correct.mean()),
        balanced_accuracy=float((correct[generated].mean() + correct[photographs].mean()) / 2),
        auc=float(roc_auc_score(generated, _lean(part))),
        quorum=own.quorum,
        false_positive_rate=_share(calls[photographs] == GENERATED),
        miss_rate=_share(calls[generated] == REAL),
        decided=_share(decided),
        right_of_decided=_share((calls == GENERATED)[decided] == generated[decided]) if decided.any() else None,
    )


def _lean(table: VoteTable) -> Floats:
    """(Votes for generated - votes for real) / answers of each case; 0 where nobody answered."""
    generated, real, answered = counts(table.said)
    return np.asarray((generated - real) / np.maximum(answered, 1), dtype=np.float64)


def _share(flags: Bools) -> float:
    return float(flags.mean())
