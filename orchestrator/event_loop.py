"""The event loop for judging, and garbage collection in a process that does nothing else.

Not for the server, which bounds how many connections it takes at once; uvloop takes all that there are.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
_THRESHOLDS = 5000, 20, 50
"""A verdict makes many objects and few cycles. To look for these as often as Python does by itself takes time, and
holds up everything else while it lasts."""


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop of uvloop, which takes less processor time, or one of asyncio's own where uvloop does not exist."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Inside, Python looks for unreachable cycles seldom."""
    usual = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def run(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns, as `asyncio.run`; raises what it raises."""
    with seldom_collected(), asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)
