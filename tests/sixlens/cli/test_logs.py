from __future__ import annotations

import logging

import pytest

from backends.waiting import log as waits
from backends.waiting import waiting
from sixlens.cli.logs import logs_on_stderr


def fail() -> None:
    try:
        raise ValueError("why")
    except ValueError:
        logging.getLogger("sixlens").exception("it went wrong\nwith \x1b[31m")


def test_warnings_are_one_line_without_tracebacks(capsys: pytest.CaptureFixture[str]) -> None:
    with logs_on_stderr(verbose=False):
        logging.getLogger("backends.layers.cache_store").warning("the cache fails")
        logging.getLogger("sixlens").info("nobody needs this")
        fail()
    assert capsys.readouterr().err.splitlines() == [
        "sixlens: warning: the cache fails",
        "sixlens: error: it went wrong with [31m (-v shows where)",
    ]


def test_what_takes_minutes_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with logs_on_stderr(verbose=False), waiting("loading hf:model"):
        assert capsys.readouterr().err == "sixlens: loading hf:model\n"
    assert capsys.readouterr().err == ""
    with logs_on_stderr(verbose=True), waiting("loading hf:model"):
        pass
    begun, over = capsys.readouterr().err.splitlines()
    assert begun == "sixlens: loading hf:model"
    assert over.startswith("sixlens: loading hf:model: over after ")


def test_verbose_shows_everything(capsys: pytest.CaptureFixture[str]) -> None:
    with logs_on_stderr(verbose=True):
        logging.getLogger("orchestrator").debug("a detail")
        fail()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "sixlens: a detail"
    assert lines[2] == "Traceback (most recent call last):"
    assert lines[3].startswith('  File "')
    assert lines[-1] == "ValueError: why"


def test_the_loggers_are_left_as_they_were() -> None:
    logger = logging.getLogger("sixlens")
    before = (logger.level, logger.propagate, list(logger.handlers))
    with logs_on_stderr(verbose=True):
        assert logger.handlers != before[2]
    assert (logger.level, logger.propagate, list(logger.handlers)) == before
    assert (waits.level, waits.propagate) == (logging.NOTSET, True)
