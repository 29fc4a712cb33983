"""How many pictures may be decoded at once: the pixels of a photograph weigh a hundred times its file."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Lease:
    """A place among those that may hold decoded pixels. An async context manager that may be given back early."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._held = False

    async def __aenter__(self) -> Lease:
        await self._places.acquire()
        self._held = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.give_back()

    def give_back(self) -> None:
        """Let the next picture in; may be called more than once."""
        if self._held:
            self._held = False
            self._places.release()
