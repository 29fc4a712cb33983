"""The cases of one generator or one source: how they were called."""

from __future__ import annotations

import numpy as np

from evals.metrics.arrays import Bools
from evals.metrics.columns import ERROR, GENERATED, REAL, UNDECIDED, Columns, Named
from evals.metrics.estimate import Estimate, Record
from evals.metrics.rate import LEVEL, rate
from evals.metrics.sample import Sample


class Portion(Record):
    """One row of the confusion by generator, or of the false positives by source."""

    name: str | None
    """None for cases without a name."""
    n: int
    generated: int
    real: int
    undecided: int
    errors: int
    called_generated: Estimate
    """The share called generated, of those decided: recall for generated cases, false positives for real ones."""
    of_all: Estimate
    """The same share of all: an undecided or failed case is not called generated."""


def by_generator(columns: Columns, sample: Sample, level: float = LEVEL) -> tuple[Portion, ...]:
    """The generated cases, by generator."""
    return _portions(columns, columns.truth == GENERATED, columns.generator, sample, level)


def by_source(columns: Columns, sample: Sample, level: float = LEVEL) -> tuple[Portion, ...]:
    """The real cases, by source. The interval speaks of this source alone: its cases are taken as independent."""
    return _portions(columns, columns.truth == REAL, columns.source, sample, level)


def every_real(columns: Columns, sample: Sample, level: float = LEVEL) -> Portion | None:
    """All real cases, as a row to set beside the generators; None without any."""
    side = columns.truth == REAL
    return _portion(columns, side, "real", sample, level) if side.any() else None


def _portions(columns: Columns, side: Bools, named: Named, sample: Sample, level: float) -> tuple[Portion, ...]:
    found = np.unique(named.codes[side]).tolist()
    order = sorted(code for code in found if code >= 0) + [code for code in found if code < 0]
    return tuple(
        _portion(columns, side & (named.codes == code), None if code < 0 else named.names[code], sample, level)
        for code in order
    )


def _portion(columns: Columns, rows: Bools, name: str | None, sample: Sample, level: float) -> Portion:
    called = columns.called[rows]
    return Portion(
        name=name,
        n=len(called),
        generated=int((called == GENERATED).sum()),
        real=int((called == REAL).sum()),
        undecided=int((called == UNDECIDED).sum()),
        errors=int((called == ERROR).sum()),
        called_generated=rate(columns.called == GENERATED, rows & columns.decided, sample, level),
        of_all=rate(columns.called == GENERATED, rows, sample, level),
    )
