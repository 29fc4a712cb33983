from __future__ import annotations

import json
from pathlib import Path

import pytest

from backends.errors import ConfigError
from sixlens.cli.eval_report_command import run_report
from tests.evals.report.runs import G, R, judgment, write_run


def test_it_says_where_the_report_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run", [judgment(f"c{n}", R, G if n == 0 else R) for n in range(10)])
    assert run_report(run, out=None, as_json=False) == 0
    said = capsys.readouterr().out
    assert "six, none: 1 of 10 decided real photographs called generated (95 % interval 0.3 to 44.5 of 100)" in said
    assert f"Report: {run / 'report.html'}" in said
    assert (run / "report.html").exists()


def test_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run", [judgment(f"c{n}", G, G) for n in range(4)])
    assert run_report(run, out=tmp_path / "out", as_json=True) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["report"] == str(tmp_path / "out" / "report.html")
    assert data["false_positives"][0]["value"] is None
    assert all(Path(path).exists() for path in (data["markdown"], data["summary"], *data["tables"]))


def test_no_real_photograph_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_report(write_run(tmp_path / "run", [judgment("c", G, G)]), out=None, as_json=False)
    assert "is not known; none with a label was decided" in capsys.readouterr().out


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no run here"):
        run_report(tmp_path, out=None, as_json=False)
