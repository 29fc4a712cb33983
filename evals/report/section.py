"""A section of the report: words, facts, tables and charts, in this order."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from evals.report.table import Table


@dataclass(frozen=True, slots=True)
class Section:
    """One section. What is not there is said in `words`."""

    key: str
    """Its anchor on the page."""
    title: str
    words: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    """Terms and what is said of them."""
    tables: tuple[Table, ...] = ()
    charts: tuple[Markup, ...] = ()
    """SVG, ready for the page."""
