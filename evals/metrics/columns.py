"""Judgments of one arm and one perturbation as slim columns, one row a judgment, sorted by case and repeat."""

from __future__ import annotations

import dataclasses
import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

import numpy as np

from backends.errors import InputError
from evals.judgment import Judgment, Vote
from evals.metrics.arrays import Bools, Floats, Ints
from paradigms.label import Label, Outcome

GENERATED, REAL, UNDECIDED, ERROR = 1, 0, -1, -2
"""Codes of `called`; a case without a truth has `UNLABELLED` there."""
UNLABELLED = -1
ABSENT = "absent"
HEDGED = "hedged"
VOTED: tuple[str, ...] = (ABSENT, HEDGED, *Outcome)
"""What became of a paradigm in a judgment; `answered` here is without the hedges, which are apart."""
COSTS = ("cost", "calls", "attempts", "cache_hits", "input_tokens", "cached_tokens", "output_tokens", "seconds")
_SIDES = {Label.GENERATED: GENERATED, Label.REAL: REAL}

Group = tuple[str, str]
"""Arm and perturbation."""


@dataclasses.dataclass(frozen=True)
class Named:
    """A column of names: a code a row, -1 for none, and the names by code, in alphabetical order."""

    codes: Ints
    names: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[str | None]) -> Self:
        """The column of these values."""
        names = tuple(sorted({value for value in values if value is not None}))
        code: dict[str | None, int] = {name: index for index, name in enumerate(names)}
        return cls(np.array([code.get(value, -1) for value in values], dtype=np.int64), names)

    def take(self, rows: Ints) -> Self:
        """Only these rows; the names stay."""
        return dataclasses.replace(self, codes=self.codes[rows])

    def counts(self) -> dict[str, int]:
        """How many rows have each name; names without rows are left out."""
        found = np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))
        return {name: int(count) for name, count in zip(self.names, found, strict=True) if count}


@dataclasses.dataclass(frozen=True)
class Columns:
    """The rows of one arm under one perturbation."""

    arm: str
    perturbation: str
    case: Named
    repeat: Ints
    truth: Ints
    """GENERATED, REAL or UNLABELLED."""
    called: Ints
    """GENERATED, REAL, UNDECIDED or ERROR."""
    score: Floats
    """NaN where there is none."""
    p_generated: Floats
    """NaN where there is none."""
    source: Named
    generator: Named
    reason: Named
    """Why undecided."""
    error: Named
    """Kinds of errors."""
    votes: Mapping[str, Ints]
    """By paradigm, the panel included, an index into VOTED a row."""
    costs: Mapping[str, Floats]
    """By name of COSTS; NaN where unknown."""

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def labelled(self) -> Bools:
        """Rows whose truth is known."""
        labelled: Bools = self.truth != UNLABELLED
        return labelled

    @property
    def decided(self) -> Bools:
        """Rows that are called generated or real."""
        decided: Bools = self.called >= REAL
        return decided

    def keys(self) -> list[tuple[str, int]]:
        """Case and repeat of each row, which name the row."""
        return [(self.case.names[code], int(repeat)) for code, repeat in zip(self.case.codes, self.repeat, strict=True)]

    def take(self, rows: Ints) -> Columns:
        """Only these rows, in this order."""
        fields: dict[str, object] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Named):
                fields[field.name] = value.take(rows)
            elif isinstance(value, Mapping):
                fields[field.name] = {name: column[rows] for name, column in value.items()}
            elif isinstance(value, np.ndarray):
                fields[field.name] = value[rows]
        return dataclasses.replace(self, **fields)  # type: ignore[arg-type]


def aligned(one: Columns, other: Columns) -> tuple[Columns, Columns]:
    """The rows that both have, row by row the same case and repeat."""
    places = {key: row for row, key in enumerate(other.keys())}
    pairs = [(row, places[key]) for row, key in enumerate(one.keys()) if key in places]
    rows = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return one.take(rows[:, 0]), other.take(rows[:, 1])


def read(judgments: Iterable[Judgment]) -> Columns:
    """The columns of judgments that share an arm and a perturbation.

    Raises:
        InputError: there are several arms or perturbations, none at all, or a case twice in one repeat.

    """
    groups = read_groups(judgments)
    if len(groups) != 1:
        names = ", ".join(f"{arm} / {perturbation}" for arm, perturbation in groups) or "no judgment"
        raise InputError(f"One arm and one perturbation are summarised at a time; here is {names}.")
    return next(iter(groups.values()))


def read_groups(judgments: Iterable[Judgment]) -> dict[Group, Columns]:
    """The columns of each arm and perturbation, in alphabetical order, with the perturbation `none` first.

    The judgments are read once and not kept.

    Raises:
        InputError: a case is there twice in one repeat.

    """
    groups: dict[Group, _Rows] = {}
    for judgment in judgments:
        groups.setdefault((judgment.arm, judgment.perturbation), _Rows()).add(judgment)
    order = sorted(groups, key=lambda group: (group[0], group[1] != "none", group[1]))
    return {group: groups[group].columns(*group) for group in order}


class _Rows:
    """Rows as they come in."""

    def __init__(self) -> None:
        self.names: dict[str, list[str | None]] = {
            name: [] for name in ("case", "source", "generator", "reason", "error")
        }
        self.whole: dict[str, array[int]] = {name: array("q") for name in ("repeat", "truth", "called")}
        self.real: dict[str, array[float]] = {name: array("d") for name in ("score", "p_generated", *COSTS)}
        self.votes: dict[str, array[int]] = {}

    def add(self, judgment: Judgment) -> None:
        """One row more."""
        before = len(self.whole["truth"])
        error = None if judgment.label is not None else judgment.error_kind or "unknown"
        reason = judgment.undecided_because
        undecided = None if judgment.label is not Label.UNDECIDED else str(reason or "unknown")
        named = (judgment.case, judgment.source, judgment.generator, undecided, error)
        for names, value in zip(self.names.values(), named, strict=True):
            names.append(value)
        self.whole["repeat"].append(judgment.repeat)
        self.whole["truth"].append(_SIDES.get(judgment.truth, UNLABELLED) if judgment.truth else UNLABELLED)
        self.whole["called"].append(ERROR if judgment.label is None else _SIDES.get(judgment.label, UNDECIDED))
        self.real["score"].append(_number(judgment.score))
        self.real["p_generated"].append(_number(judgment.p_generated))
        for name in COSTS:
            self.real[name].append(_number(getattr(judgment.costs, name)))
        for paradigm, vote in judgment.everybody.items():
            column = self.votes.setdefault(paradigm, array("q"))
            _pad(column, before)
            column.append(_voted(vote))

    def columns(self, arm: str, perturbation: str) -> Columns:
        """The finished columns."""
        names = {name: Named.of(values) for name, values in self.names.items()}
        whole = {name: np.array(column, dtype=np.int64) for name, column in self.whole.items()}
        real = {name: np.array(column, dtype=np.float64) for name, column in self.real.items()}
        for column in self.votes.values():
            _pad(column, len(whole["truth"]))
        columns = Columns(
            arm,
            perturbation,
            case=names["case"],
            repeat=whole["repeat"],
            truth=whole["truth"],
            called=whole["called"],
            source=names["source"],
            generator=names["generator"],
            reason=names["reason"],
            error=names["error"],
            score=real["score"],
            p_generated=real["p_generated"],
            votes={paradigm: np.array(column, dtype=np.int64) for paradigm, column in sorted(self.votes.items())},
            costs={name: real[name] for name in COSTS},
        )
        order = np.lexsort((columns.repeat, columns.case.codes))
        return _without_twins(columns.take(order))


def _without_twins(columns: Columns) -> Columns:
    same = (np.diff(columns.case.codes) == 0) & (np.diff(columns.repeat) == 0)
    if same.any():
        row = int(np.argmax(same))
        case, repeat = columns.case.names[columns.case.codes[row]], int(columns.repeat[row])
        raise InputError(
            f"Case {case!r} is there twice for arm {columns.arm!r}, perturbation {columns.perturbation!r}, "
            f"repeat {repeat}: keep one of them."
        )
    return columns


def _number(value: float | None) -> float:
    """NaN for None; what is not finite says nothing either."""
    return value if value is not None and math.isfinite(value) else math.nan


def _voted(vote: Vote) -> int:
    # A measurement or a score is `undecided` too, but it never votes, so it has nothing to hedge.
    hedged = vote.eyes and vote.outcome is Outcome.ANSWERED and vote.label is Label.UNDECIDED
    return VOTED.index(HEDGED if hedged else vote.outcome)


def _pad(column: array[int], rows: int) -> None:
    """Rows in which the paradigm was not there."""
    column.extend([VOTED.index(ABSENT)] * (rows - len(column)))
