from __future__ import annotations

from pathlib import Path

import pytest

from evals.report import ReportFiles, write_report
from tests.evals.report.full import full_run


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> ReportFiles:
    """The report of a run with everything in it."""
    folder: Path = full_run(tmp_path_factory.mktemp("report") / "run", cases=60)
    return write_report(folder)
