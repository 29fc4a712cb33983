"""Three ways to count the cases that got no label, kept apart."""

from __future__ import annotations

import dataclasses
from enum import StrEnum

import numpy as np

from evals.metrics.arrays import Bools, Ints
from evals.metrics.columns import GENERATED, REAL, UNDECIDED, Columns
from evals.metrics.ranking import Ranking


class ViewName(StrEnum):
    """How cases without a label count."""

    ANSWERED = "answered"
    """They are left out."""
    UNANSWERED_AS_WRONG = "unanswered_as_wrong"
    """They count as called the other side: an undecided or failed real is a false positive here."""
    FORCED = "forced"
    """An undecided case is `generated` if its ranking number lies above the middle (score > 0, or p_generated > 0.5
    where the arm has that), else `real`: a tie falls to `real`, since a false accusation is the worst
    error. A case that is decided keeps its label. A case without a label and without that number (an error, or nobody
    answered) cannot be forced and is left out."""


@dataclasses.dataclass(frozen=True)
class View:
    """What the labelled rows are called in one way of counting."""

    name: ViewName
    truth: Ints
    called: Ints
    """GENERATED, REAL, or UNDECIDED for a row that is left out."""

    @property
    def counted(self) -> Bools:
        """Rows that are in the view."""
        return self.called >= REAL


def views(columns: Columns, ranking: Ranking) -> tuple[View, ...]:
    """All three, in the order of `ViewName`."""
    called = {
        ViewName.ANSWERED: columns.called,
        ViewName.UNANSWERED_AS_WRONG: np.where(columns.decided, columns.called, 1 - columns.truth),
        ViewName.FORCED: forced(columns, ranking),
    }
    labelled = columns.labelled
    return tuple(
        View(name, columns.truth, np.where(labelled, codes, UNDECIDED).astype(np.int64))
        for name, codes in called.items()
    )


def forced(columns: Columns, ranking: Ranking) -> Ints:
    """A label for every row that has one, or a ranking number to read it from; else UNDECIDED."""
    above = ranking.values > ranking.middle
    leaning = np.where(ranking.known, np.where(above, GENERATED, REAL), UNDECIDED)
    return np.where(columns.decided, columns.called, leaning).astype(np.int64)
