"""The summary in Markdown: the same sections and tables, without charts and cases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from evals.report.section import Section
from evals.report.table import Table, text_of

MOST_ROWS = 60
"""Rows of a Markdown table, at most; the CSV file has all."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$!&])")


def escape(text: str) -> str:
    """Text on one line that Markdown shows as it stands, also where HTML is let through."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return _SPECIAL.sub(r"\\\1", line).replace("://", ":\u2060//")


def markdown_text(title: str, sections: Iterable[Section]) -> str:
    """The whole summary."""
    parts = [f"# {escape(title)}"]
    for section in sections:
        parts.append(f"## {escape(section.title)}")
        parts += [escape(line) for line in section.words]
        if section.facts:
            parts.append("\n".join(f"- **{escape(term)}**: {escape(text)}" for term, text in section.facts))
        parts += ["\n".join(_table(table)) for table in section.tables]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> Iterator[str]:
    yield f"**{escape(table.title)}**"
    yield ""
    yield f"| {' | '.join(escape(column.title) for column in table.columns)} |"
    yield f"|{'|'.join(' --- ' for _ in table.columns)}|"
    for row in table.rows[:MOST_ROWS]:
        yield f"| {' | '.join(escape(text_of(cell)) for cell in row)} |"
    left = len(table.rows) - MOST_ROWS
    notes = [*table.footnotes, *([f"{left} further rows are in tables/{table.name}.csv."] if left > 0 else [])]
    for note in notes:
        yield ""
        yield escape(note)
