"""Tables as CSV: every row, bare values, and a column for each end of an interval."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from evals.metrics.estimate import Estimate
from evals.report.table import Cell, Figure, Number, Share, Table

_PARTS = ("low", "high", "n", "events")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(table: Table) -> str:
    """The table as CSV with a first line of column names. An unknown number is an empty field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    wide = [_wide(table, place) for place in range(len(table.columns))]
    heads = [_heads(column.key, wide=has) for column, has in zip(table.columns, wide, strict=True)]
    writer.writerow([head for group in heads for head in group])
    for row in table.rows:
        writer.writerow([field for cell, has in zip(row, wide, strict=True) for field in _fields(cell, wide=has)])
    return out.getvalue()


def _wide(table: Table, place: int) -> bool:
    return any(isinstance(row[place], Share | Number) for row in table.rows)


def _heads(key: str, *, wide: bool) -> tuple[str, ...]:
    return (key, *(f"{key}_{part}" for part in _PARTS)) if wide else (key,)


def _fields(cell: Cell, *, wide: bool) -> Iterator[str]:
    if isinstance(cell, Share | Number):
        yield from _parts(cell.estimate)
        return
    if isinstance(cell, Figure):
        yield "" if cell.value is None else repr(cell.value)
    else:
        yield _harmless(cell) if isinstance(cell, str) else str(cell)
    if wide:
        yield from [""] * len(_PARTS)


def _parts(estimate: Estimate) -> Iterator[str]:
    for value in (estimate.value, estimate.low, estimate.high, estimate.n, estimate.events):
        yield "" if value is None else repr(value)


def _harmless(text: str) -> str:
    """A spreadsheet runs a cell that begins like a formula; names of cases and generators are not ours."""
    return f"'{text}" if text.startswith(_FORMULA) else text
