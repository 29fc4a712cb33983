"""Waits of minutes that a person should know of, for example while a model is fetched and loaded.

The logger `backends.waiting` tells of them: at level INFO when one begins, at DEBUG when it is over. The attribute
`waits` of a record says which of the two it is, for a display that would be in the way meanwhile.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator

log = logging.getLogger(__name__)


@contextlib.contextmanager
def waiting(what: str) -> Iterator[None]:
    """Tell that `what` is under way, and when it is over."""
    began = time.monotonic()
    log.info("%s", what, extra={"waits": True})
    try:
        yield
    finally:
        log.debug("%s: over after %.1f s", what, time.monotonic() - began, extra={"waits": False})
