from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from backends.waiting import waiting
from orchestrator.judge import Prepared, Reported
from paradigms.label import Label, Outcome
from paradigms.report import Report
from sixlens.cli.logs import logs_on_stderr
from sixlens.cli.progress import Lines, Live, Silence, Watcher
from sixlens.cli.terminal import emit

NASTY = "[bold]{x}[/bold]\x1b[31m\u202e.jpg"


def reported(**fields: Any) -> Reported:
    known = {"paradigm": "p", "title": "Details", "question": "?", "prompt_version": "1", "backend": "a:b"}
    return Reported(Report(**(known | {"outcome": Outcome.ANSWERED, "label": Label.REAL, "seconds": 1.24} | fields)))


FAILED = {"outcome": Outcome.FAILED, "label": None, "reason": "the server failed"}


def test_lines_say_what_happened_as_it_happens(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.began(0, "a.jpg")
    lines.began(1, "b.jpg")
    lines.happened(1, Prepared("small boat", "photograph"))
    lines.happened(0, Prepared(None, None))
    lines.happened(0, reported())
    lines.happened(0, reported(**FAILED))
    lines.ended(0)
    with lines.stepped_aside():
        lines.happened(1, reported(seconds=None))
    assert capsys.readouterr().err.splitlines() == [
        "sixlens: b.jpg: looking (small boat)",
        "sixlens: a.jpg: looking",
        "sixlens: a.jpg: Details: real (1.2 s)",
        "sixlens: a.jpg: Details: failed (1.2 s)",
        "sixlens: b.jpg: Details: real",
    ]


def test_why_an_examination_failed_is_said_where_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(reasons=True)
    lines.began(0, "a.jpg")
    lines.happened(0, reported(**FAILED))
    assert capsys.readouterr().err == "sixlens: a.jpg: Details: failed (the server failed)\n"


def test_silence_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    silence: Watcher = Silence()
    silence.began(0, "a.jpg")
    silence.happened(0, reported())
    with silence.stepped_aside():
        silence.ended(0)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_a_live_display_is_away_while_a_model_is_loaded() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)
    with logs_on_stderr(verbose=False), Live(console, 6, 2):
        assert console._live_stack != []
        with waiting("loading hf:model"):
            assert console._live_stack == []
        assert console._live_stack != []


def test_a_live_display_follows_and_leaves_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120, color_system=None)
    with Live(console, 6, 2) as live:
        live.began(0, NASTY)
        live.happened(0, Prepared("small boat", "photograph"))
        live.happened(0, reported())
        with live.stepped_aside():
            before = screen.getvalue()
            assert console._live_stack == []
            emit("the answer\n")
            assert screen.getvalue() == before
        live.ended(0)
        live.ended(1)
    shown = screen.getvalue()
    assert "[bold]{x}[/bold][31m.jpg" in shown
    assert "\u202e" not in shown
    assert "1/6" in shown
    assert "Details: real (1.2 s)" in shown
    assert "2/2" in shown
    assert shown.endswith("\x1b[1A\x1b[2K")
    assert capsys.readouterr().out == "the answer\n"
