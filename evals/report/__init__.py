"""The report of a run, for people and for papers."""

from evals.report.write import ReportFiles, write_report

__all__ = ["ReportFiles", "write_report"]
