"""How judgments and examinations ended. Nothing is left out: the counts add up to the judgments."""

from __future__ import annotations

import numpy as np

from evals.metrics.columns import ABSENT, ERROR, GENERATED, HEDGED, REAL, UNDECIDED, VOTED, Columns
from evals.metrics.estimate import Estimate, Record
from evals.metrics.rate import LEVEL, rate
from evals.metrics.sample import Sample
from paradigms.label import Outcome


class ParadigmCoverage(Record):
    """How one paradigm's examinations ended."""

    paradigm: str
    answered: int
    """Without the hedges."""
    hedged: int
    """Answered, but undecided: no vote."""
    refused: int
    unparsed: int
    failed: int
    skipped: int
    absent: int
    """Judgments that say nothing of this paradigm, for example because they ended in an error."""


class Coverage(Record):
    """How judgments ended, unlabelled cases included."""

    judgments: int
    generated: int
    real: int
    undecided: int
    undecided_by_reason: dict[str, int]
    errors: int
    """No verdict at all."""
    errors_by_kind: dict[str, int]
    decided: Estimate
    """The share that is called generated or real."""
    paradigms: tuple[ParadigmCoverage, ...]


def coverage(columns: Columns, sample: Sample, level: float = LEVEL) -> Coverage:
    """The coverage of all rows."""
    called = columns.called
    return Coverage(
        judgments=len(columns),
        generated=int((called == GENERATED).sum()),
        real=int((called == REAL).sum()),
        undecided=int((called == UNDECIDED).sum()),
        undecided_by_reason=columns.reason.counts(),
        errors=int((called == ERROR).sum()),
        errors_by_kind=columns.error.counts(),
        decided=rate(columns.decided, np.ones(len(columns), dtype=np.bool_), sample, level),
        paradigms=tuple(_paradigm(columns, paradigm) for paradigm in columns.votes),
    )


def _paradigm(columns: Columns, paradigm: str) -> ParadigmCoverage:
    counts = dict(zip(VOTED, np.bincount(columns.votes[paradigm], minlength=len(VOTED)).tolist(), strict=True))
    return ParadigmCoverage(
        paradigm=paradigm,
        answered=counts[Outcome.ANSWERED],
        hedged=counts[HEDGED],
        refused=counts[Outcome.REFUSED],
        unparsed=counts[Outcome.UNPARSED],
        failed=counts[Outcome.FAILED],
        skipped=counts[Outcome.SKIPPED],
        absent=counts[ABSENT],
    )
