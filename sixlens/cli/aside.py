"""A progress display steps aside while something else is written to the terminal."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Self

from rich.progress import Progress

from backends.waiting import log


class Aside(logging.Handler):
    """Takes a display off the screen while somebody needs it, and puts it back when nobody does any more.

    As a context manager it also does so while a model is fetched, for the bars of what fetches it.

    Args:
        display: one that was started.
    """

    def __init__(self, display: Progress) -> None:
        super().__init__()
        self._display = display
        self._needs = 0

    def __enter__(self) -> Self:
        log.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        log.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """A wait begins, or is over."""
        if getattr(record, "waits", False):
            self._leave()
        else:
            self._return()

    @contextlib.contextmanager
    def stepped(self) -> Iterator[None]:
        """The display is off the screen."""
        self._leave()
        try:
            yield
        finally:
            self._return()

    def _leave(self) -> None:
        self._needs += 1
        self._display.stop()

    def _return(self) -> None:
        self._needs -= 1
        if self._needs == 0:
            self._display.start()
