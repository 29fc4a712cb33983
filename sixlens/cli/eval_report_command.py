"""`sixlens eval report`: a run as a page, a summary and tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evals.metrics import Summary
from evals.report import ReportFiles, write_report
from sixlens.cli.logs import logs_on_stderr
from sixlens.cli.terminal import emit, emit_json


def run_report(folder: Path, *, out: Path | None, as_json: bool) -> int:
    """Write the report of a run and say where it is; the exit code.

    Args:
        folder: the run's.
        out: where to write; None for the run's folder.
        as_json: print the files and the false-positive rates as JSON.

    Raises:
        ConfigError: there is no run, it is damaged, or the report cannot be written.
        InputError: no case has been judged yet.
    """
    with logs_on_stderr(verbose=False):
        files = write_report(folder, out)
    if as_json:
        emit_json(_json(folder, files))
    else:
        emit("\n".join(_lines(files)) + "\n")
    return 0


def _json(folder: Path, files: ReportFiles) -> dict[str, Any]:
    return {
        "run": str(folder),
        "report": str(files.page),
        "markdown": str(files.markdown),
        "summary": str(files.summary),
        "tables": [str(path) for path in files.tables],
        "false_positives": [
            {
                "arm": summary.arm,
                "perturbation": summary.perturbation,
                **summary.false_positives.of_decided.model_dump(mode="json"),
            }
            for summary in files.run.summaries
        ],
    }


def _lines(files: ReportFiles) -> Iterator[str]:
    for summary in files.run.summaries:
        yield f"{summary.arm}, {summary.perturbation}: {_accusations(summary)}"
    yield f"Report: {files.page}"
    yield f"Summary: {files.markdown}, {files.summary}; {len(files.tables)} tables in {files.page.parent / 'tables'}"


def _accusations(summary: Summary) -> str:
    rate = summary.false_positives.of_decided
    if rate.value is None or rate.low is None or rate.high is None:
        return "how often real photographs are called generated is not known; none with a label was decided"
    return (
        f"{rate.events} of {rate.n} decided real photographs called generated "
        f"({100 * summary.level:g} % interval {100 * rate.low:.1f} to {100 * rate.high:.1f} of 100)"
    )
