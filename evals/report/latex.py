"""Tables for papers: LaTeX with booktabs, every text escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from evals.metrics.estimate import Estimate
from evals.report.table import Cell, Number, Share, Table, text_of, unknown

MOST_ROWS = 200
"""Rows of a LaTeX table, at most; the CSV file has all."""
_SPECIAL: Mapping[str, str] = MappingProxyType(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "[": "{[}",  # a row that began with one would be the length of the line break before it
        "]": "{]}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "—": "---",
        "–": "--",
        "−": "$-$",
        "×": r"$\times$",
        "·": r"$\cdot$",
    }
)
_ANY = re.compile("|".join(re.escape(letter) for letter in _SPECIAL))


def escape(text: str) -> str:
    """Text that LaTeX sets as it stands."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return _ANY.sub(lambda found: _SPECIAL[found.group()], line)


def latex_text(table: Table) -> str:
    r"""The table as a `table` environment; it needs `\usepackage{booktabs}`."""
    lines = [
        "% Needs \\usepackage{booktabs}.",
        "\\begin{table}",
        "  \\centering",
        f"  \\caption{{{escape(table.title)}}}",
        f"  \\label{{tab:{re.sub('[^a-z0-9]+', '-', table.name)}}}",
        f"  \\begin{{tabular}}{{{''.join(_align(table, place) for place in range(len(table.columns)))}}}",
        "    \\toprule",
        f"    {' & '.join(_head(table, place) for place in range(len(table.columns)))} \\\\",
        "    \\midrule",
        *(f"    {' & '.join(_cell(cell) for cell in row)} \\\\" for row in table.rows[:MOST_ROWS]),
        "    \\bottomrule",
        "  \\end{tabular}",
    ]
    left = len(table.rows) - MOST_ROWS
    more = (f"{left} further rows are in {table.name}.csv.",) if left > 0 else ()
    lines += [f"  \\par\\footnotesize {escape(note)}" for note in (*table.footnotes, *more)]
    return "\n".join([*lines, "\\end{table}", ""])


def _head(table: Table, place: int) -> str:
    """Shares stand without their sign in the rows."""
    shares = any(isinstance(row[place], Share) for row in table.rows)
    return escape(f"{table.columns[place].title} (%)" if shares else table.columns[place].title)


def _align(table: Table, place: int) -> str:
    return "l" if all(isinstance(row[place], str) for row in table.rows) else "r"


def _cell(cell: Cell) -> str:
    """Intervals stand behind the number; how many of how many is left to the CSV file."""
    if isinstance(cell, Share | Number) and not unknown(cell):
        return _measured(cell.estimate, 100 if isinstance(cell, Share) else 1, 1 if isinstance(cell, Share) else 3)
    return escape(text_of(cell))


def _measured(estimate: Estimate, factor: int, digits: int) -> str:
    if estimate.value is None:
        return "---"
    text = f"${factor * estimate.value:.{digits}f}$"
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} {{\\small [${factor * estimate.low:.{digits}f}$, ${factor * estimate.high:.{digits}f}$]}}"
