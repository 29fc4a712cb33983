"""Lists for people: columns that line up, and wrap in a narrow terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from paradigms.signals.provenance.text import plain

MAX_CELL = 500


def columns(rows: Iterable[Sequence[str]], titles: Sequence[str] = ()) -> Table:
    """Rows of plain text in columns; the last one takes the room that is left."""
    rows = list(rows)
    table = Table(box=None, show_header=bool(titles), pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    width = max((len(row) for row in rows), default=len(titles))
    for at in range(width):
        last = at == width - 1
        table.add_column(titles[at] if titles else "", ratio=1 if last else None, overflow="fold", no_wrap=at == 0)
    for row in rows:
        table.add_row(*(Text(plain(cell, MAX_CELL)) for cell in row))
    table.expand = False
    return table
