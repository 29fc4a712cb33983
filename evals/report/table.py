"""Tables as data: built once from the summary of a run, then written as HTML, Markdown, CSV and LaTeX."""

from __future__ import annotations

from dataclasses import dataclass

from evals.metrics.estimate import Estimate

UNKNOWN = "—"
"""Stands where a number is not known. It is never 0."""
PERCENT = "\u00a0%"
"""Never on another line than its number."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share or a difference of shares, shown in hundredths with its interval."""

    estimate: Estimate
    reason: str = ""
    """Why it is not known, for a reader; used only when it is not."""
    signed: bool = False
    """For a difference: a gain is written with a plus."""


@dataclass(frozen=True, slots=True)
class Number:
    """A score between 0 and 1 or so, shown with three digits and its interval."""

    estimate: Estimate
    reason: str = ""
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A number without an interval."""

    value: float | None
    form: str = "{:.3g}"
    """How it is written, for `str.format`."""
    reason: str = ""


Cell = str | int | Share | Number | Figure


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    key: str
    """Its name in the CSV file: lower case, no spaces."""
    title: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under a caption."""

    name: str
    """Of its files, without an ending."""
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    """What the reader must know, in sentences."""

    @property
    def footnotes(self) -> tuple[str, ...]:
        """The notes, and why numbers are not known."""
        reasons = dict.fromkeys(
            cell.reason or "there is nothing to count"
            for row in self.rows
            for cell in row
            if isinstance(cell, Share | Number | Figure) and unknown(cell)
        )
        return (*self.notes, *(f"{UNKNOWN} not known: {reason}." for reason in reasons))


def unknown(cell: Cell) -> bool:
    """Whether a number is missing there."""
    return value_of(cell) is None


def value_of(cell: Cell) -> str | float | None:
    """The bare value of a cell; None for an unknown number."""
    if isinstance(cell, Share | Number):
        return cell.estimate.value
    return cell.value if isinstance(cell, Figure) else cell


def text_of(cell: Cell) -> str:
    """What a person reads in a cell, on one line."""
    return " ".join(part for part in parts_of(cell) if part)


def parts_of(cell: Cell) -> tuple[str, str]:
    """The number or word of a cell, and its interval and counts."""
    match cell:
        case Share(estimate=estimate, signed=signed):
            return _measured(estimate, 100, f"{'+' if signed else ''}.1f", " points" if signed else PERCENT)
        case Number(estimate=estimate, signed=signed):
            return _measured(estimate, 1, f"{'+' if signed else ''}.3f", "")
        case Figure(value=None):
            return UNKNOWN, ""
        case Figure(value=value, form=form):
            return minus(form.format(value)), ""
        case int():
            return f"{cell:,}", ""
    return cell, ""


def _measured(estimate: Estimate, factor: int, form: str, unit: str) -> tuple[str, str]:
    if estimate.value is None:
        return UNKNOWN, ""
    among = "" if estimate.events is None else f"{estimate.events:,} of {estimate.n:,}"
    interval = ""
    if estimate.low is not None and estimate.high is not None:
        interval = f"[{factor * estimate.low:{form}}, {factor * estimate.high:{form}}]"
    value = minus(f"{factor * estimate.value:{form}}{unit}")
    return value, ", ".join(part for part in (minus(interval), among) if part)


def minus(number: str) -> str:
    """A number with a proper minus sign."""
    return number.replace("-", "−")
