"""What counts as independent: sources where there are enough of them, else cases; never the repeats of a case."""

from __future__ import annotations

import dataclasses
from typing import Literal, Self

import numpy as np

from evals.metrics.arrays import Ints
from evals.metrics.columns import GENERATED, REAL, UNLABELLED, Columns
from evals.metrics.estimate import Record

MIN_UNITS = 5
"""With fewer sources than this, how much they differ cannot be told, and cases are taken as independent."""

Unit = Literal["source", "case"]


class Sampling(Record):
    """What the intervals of a summary take as independent, for each side."""

    real_unit: Unit
    real_units: int
    generated_unit: Unit
    generated_units: int
    note: str
    """In words, for the reader of a report."""


@dataclasses.dataclass(frozen=True)
class Sample:
    """The rows' units.

    A case without a source is a unit by itself, and all repeats of a case are in one unit.
    """

    unit: Ints
    """Of each row, from 0 without gaps."""
    case: Ints
    """Of each row."""
    strata: tuple[Ints, ...]
    """Units that are resampled together. Real and generated apart, unless a source holds both."""
    sampling: Sampling

    @classmethod
    def of(cls, columns: Columns) -> Self:
        """The units of these rows."""
        by_source = columns.source.codes >= 0
        keys = np.where(by_source, columns.source.codes, len(columns.source.names) + columns.case.codes)
        units: dict[int, Unit] = {}
        for truth in (GENERATED, REAL, UNLABELLED):
            side = columns.truth == truth
            enough = bool(by_source[side].any()) and len(np.unique(keys[side])) >= MIN_UNITS
            units[truth] = "source" if enough else "case"
            if not enough:
                keys[side] = len(columns.source.names) + columns.case.codes[side]
        unit = np.unique(keys, return_inverse=True)[1].astype(np.int64)
        counts = {truth: len(np.unique(unit[columns.truth == truth])) for truth in (GENERATED, REAL)}
        sampling = Sampling(
            real_unit=units[REAL],
            real_units=counts[REAL],
            generated_unit=units[GENERATED],
            generated_units=counts[GENERATED],
            note=_note(columns, units),
        )
        return cls(unit, columns.case.codes, _strata(unit, columns.truth), sampling)

    @property
    def fewest(self) -> int:
        """Units on the side that has fewer, of the sides that there are."""
        sides = (self.sampling.real_units, self.sampling.generated_units)
        return min((units for units in sides if units), default=len(np.unique(self.unit)))


def _strata(unit: Ints, truth: Ints) -> tuple[Ints, ...]:
    sides = [np.unique(unit[truth == side]) for side in (GENERATED, REAL, UNLABELLED)]
    every = np.unique(unit)
    mixed = sum(len(side) for side in sides) > len(every)
    return (every,) if mixed else tuple(side for side in sides if len(side))


def _note(columns: Columns, units: dict[int, Unit]) -> str:
    said = []
    for truth, name in ((REAL, "real"), (GENERATED, "generated")):
        side = columns.truth == truth
        sources = len(np.unique(columns.source.codes[side & (columns.source.codes >= 0)]))
        if units[truth] == "source":
            said.append(f"{name}: sources are taken as independent, not the cases within one")
        elif sources:
            said.append(
                f"{name}: cases are taken as independent, with too few sources ({sources}) to tell how they differ"
            )
        elif side.any():
            said.append(f"{name}: cases are taken as independent, no source is given")
    return "; ".join(said)
