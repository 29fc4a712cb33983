"""Writing a report: a page, a summary in Markdown, tables as CSV and LaTeX, and all numbers as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backends.errors import ConfigError
from evals.metrics import RunSummary
from evals.report.cases import MOST, case_list
from evals.report.contributions import contributions
from evals.report.csv_table import csv_text
from evals.report.curves import curves
from evals.report.expense import expense, outcomes, provenance
from evals.report.groups import generators, repeats, robustness
from evals.report.latex import latex_text
from evals.report.markdown import markdown_text
from evals.report.material import Material, gather
from evals.report.opening import accusations, background
from evals.report.page import html_text
from evals.report.quality import comparison, results, worth
from evals.report.section import Section
from paradigms.signals.provenance.text import plain

_ORDER: tuple[Callable[[Material], Section | None], ...] = (
    accusations,
    background,
    results,
    comparison,
    worth,
    curves,
    generators,
    robustness,
    repeats,
    contributions,
    provenance,
    outcomes,
    expense,
)
_NAME = 120


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """What was written, and the numbers in it."""

    page: Path
    markdown: Path
    summary: Path
    tables: tuple[Path, ...]
    """CSV and LaTeX, in the order of the report."""
    run: RunSummary


def write_report(folder: Path, out: Path | None = None, most_cases: int = MOST) -> ReportFiles:
    """Report on a run, from its folder alone; nobody is asked. Files that are there already are replaced.

    Args:
        folder: the run's.
        out: where to write; the run's folder by default. It is made if it is not there.
        most_cases: cases on the page, at most.

    Raises:
        ConfigError: there is no run, it is damaged, or the report cannot be written.
        InputError: no case has been judged yet.
    """
    material = gather(folder)
    sections = [section for make in _ORDER if (section := make(material)) is not None]
    title = f"Report: {plain(material.run.header.experiment, _NAME)}"
    page = html_text(title, sections, case_list(material, most_cases))
    where = out or folder
    try:
        return _write(where, material, sections, (title, page))
    except OSError as error:
        raise ConfigError(f"{where}: the report cannot be written ({error.strerror}).") from error


def _write(where: Path, material: Material, sections: list[Section], page: tuple[str, str]) -> ReportFiles:
    title, html = page
    (where / "tables").mkdir(parents=True, exist_ok=True)
    written = []
    for table in (table for section in sections for table in section.tables if table.rows):
        written.append(_replace(where / "tables" / f"{table.name}.csv", csv_text(table)))
        written.append(_replace(where / "tables" / f"{table.name}.tex", latex_text(table)))
    return ReportFiles(
        page=_replace(where / "report.html", html),
        markdown=_replace(where / "report.md", markdown_text(title, sections)),
        summary=_replace(where / "summary.json", material.summary.model_dump_json(indent=1) + "\n"),
        tables=tuple(written),
        run=material.summary,
    )


def _replace(path: Path, text: str) -> Path:
    """Write a file whole or not at all: whoever reads meanwhile sees the old one."""
    new = path.with_name(f".{path.name}.new")
    # A name of a file may hold what is no character.
    new.write_text(text, "utf-8", "backslashreplace", newline="\n")
    return new.replace(path)
