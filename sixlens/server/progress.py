"""What has happened to a judgment so far, for everybody who follows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

Happening = tuple[str, dict[str, Any]]
"""Name and data of an event."""


class Progress:
    """The events of one judgment, kept until it has ended. For one event loop."""

    def __init__(self) -> None:
        self._events: list[Happening] = []
        self._changed = asyncio.Event()
        self.ended = asyncio.Event()
        """Set when nothing more will happen."""

    def add(self, name: str, data: dict[str, Any], *, last: bool = False) -> None:
        """Tell everybody what has happened."""
        self._events.append((name, data))
        self._wake()
        if last:
            self.end()

    def end(self) -> None:
        """Let everybody go."""
        self.ended.set()
        self._wake()

    async def follow(self, heartbeat_s: float) -> AsyncGenerator[Happening | None]:
        """Every event from the first on, and None whenever nothing has happened for so many seconds."""
        told = 0
        while True:
            changed = self._changed
            while told < len(self._events):
                told += 1
                yield self._events[told - 1]
            if self.ended.is_set():
                return
            try:
                async with asyncio.timeout(heartbeat_s):
                    await changed.wait()
            except TimeoutError:
                yield None

    def _wake(self) -> None:
        # Whoever waits holds the old event; whoever comes next finds a fresh one.
        self._changed.set()
        self._changed = asyncio.Event()
