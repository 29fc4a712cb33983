"""What the program notes while it works: warnings, and what takes minutes, as one line each; more with -v."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from backends import waiting
from sixlens.cli.terminal import say, tell

_OURS = ("sixlens", "evals", "orchestrator", "fusion", "paradigms", "backends")
_QUIET = "opentelemetry"
"""It tells of every attempt to send traces; that they were not sent, we say ourselves."""


class _ToPerson(logging.Handler):
    """Writes records to whatever stderr is at that moment, so that a progress display can step aside."""

    def __init__(self, *, tracebacks: bool) -> None:
        super().__init__()
        self._tracebacks = tracebacks

    def emit(self, record: logging.LogRecord) -> None:
        level = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        hint = " (-v shows where)" if record.exc_info and not self._tracebacks else ""
        say(f"{level}{record.getMessage()}{hint}")
        if record.exc_info and self._tracebacks:
            for line in logging.Formatter().formatException(record.exc_info).splitlines():
                tell(line)


@contextlib.contextmanager
def logs_on_stderr(*, verbose: bool) -> Iterator[None]:
    """Send our own records to stderr: warnings, errors and what is waited for; or with `verbose` everything, and where.

    Tracebacks come with `verbose` alone.
    """
    handler = _ToPerson(tracebacks=verbose)
    handler.setLevel(logging.DEBUG if verbose else logging.INFO)
    loggers = [logging.getLogger(name) for name in (*_OURS, _QUIET)]
    before = [(logger.level, logger.propagate) for logger in (*loggers, waiting.log)]
    waiting.log.setLevel(logging.DEBUG)
    for logger in loggers:
        logger.addHandler(handler)
        quiet = logging.CRITICAL if logger.name == _QUIET else logging.WARNING
        logger.setLevel(logging.DEBUG if verbose else quiet)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, (level, propagate) in zip((*loggers, waiting.log), before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate
