from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from rich.console import Console
from rich.progress import Progress

from backends.waiting import log, waiting
from sixlens.cli.aside import Aside
from sixlens.cli.logs import logs_on_stderr


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system=None)


@pytest.fixture
def aside(console: Console) -> Iterator[Aside]:
    with logs_on_stderr(verbose=False), Progress(console=console, transient=True) as display, Aside(display) as aside:
        yield aside
    assert log.handlers == []


def shown(console: Console) -> bool:
    return console._live_stack != []


def test_the_display_is_away_while_a_model_is_fetched(console: Console, aside: Aside) -> None:
    assert shown(console)
    with waiting("loading hf:one"):
        assert not shown(console)
        with waiting("loading hf:two"):
            assert not shown(console)
        assert not shown(console)
    assert shown(console)


def test_writing_meanwhile_does_not_bring_it_back(console: Console, aside: Aside) -> None:
    with waiting("loading hf:one"):
        with aside.stepped():
            assert not shown(console)
        assert not shown(console)
    with aside.stepped():
        with waiting("loading hf:one"):
            assert not shown(console)
        assert not shown(console)
    assert shown(console)


def test_a_wait_that_fails_is_over_too(console: Console, aside: Aside) -> None:
    with pytest.raises(ValueError, match="no room"), waiting("loading hf:one"):
        raise ValueError("no room")
    assert shown(console)


def test_waits_that_nobody_listens_to_are_no_matter() -> None:
    assert log.getEffectiveLevel() >= logging.WARNING
    with waiting("loading hf:one"):
        pass
