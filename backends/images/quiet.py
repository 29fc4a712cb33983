"""Silence while Pillow reads a damaged file: what is wrong is said once, by us, in one line."""

from __future__ import annotations

import ctypes
import logging
import threading
import warnings
from types import TracebackType

from PIL import _imaging

# Without any handler, Python prints what Pillow logs about damaged files to the terminal.
logging.getLogger("PIL").addHandler(logging.NullHandler())


class _Quiet:
    """While any thread is inside, Pillow's warnings and libtiff's messages go nowhere.

    Both belong to the whole process, and `warnings.catch_warnings` alone leaves the filters in disorder when threads
    enter and leave in turns. So the first one in saves them and the last one out restores them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = warnings.catch_warnings()
        self._handler: int | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\b")
                self._handler = _set_libtiff_handler(None)
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                _set_libtiff_handler(self._handler)
                self._filters.__exit__(kind, error, trace)


def _set_libtiff_handler(handler: int | None) -> int | None:
    """Exchange libtiff's handler of errors, which by default writes to standard error. Returns the one before.

    Pillow offers no way. Where libtiff is linked into Pillow itself, it cannot be reached and keeps its voice.
    """
    try:
        exchange = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
    except (AttributeError, OSError):
        return None
    exchange.argtypes, exchange.restype = [ctypes.c_void_p], ctypes.c_void_p
    before: int | None = exchange(handler)
    return before


quiet = _Quiet()
"""Enter this around calls of Pillow that read a file. Any number of threads may be inside."""
