"""The time that a case may take, counted from the first call that gets a slot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

Part = Literal["subject", "examinations", "fusion"]


class Deadline:
    """A case's clock. It stands still until `start`, so that waiting in a queue costs a case nothing.

    Args:
        seconds: the whole time of the case.
        kept_back: the part of it that is kept for fusion, in seconds.
    """

    def __init__(self, seconds: float, kept_back: float) -> None:
        self._seconds = seconds
        self._kept_back = kept_back
        self._began: float | None = None
        self._open: dict[asyncio.Timeout, float] = {}

    def start(self) -> None:
        """Start the clock; later calls change nothing."""
        if self._began is not None:
            return
        self._began = asyncio.get_running_loop().time()
        for timeout, share in self._open.items():
            timeout.reschedule(self._began + share)

    @asynccontextmanager
    async def scope(self, part: Part = "examinations") -> AsyncIterator[asyncio.Timeout]:
        """Cancel what runs inside when its part of the time is up, with TimeoutError.

        Fusion may use the part kept back; of the rest the question for the subject may use half, so that a server that
        hangs on it leaves time for the paradigms that do without.
        """
        before = self._seconds - self._kept_back
        share = {"subject": before / 2, "examinations": before, "fusion": self._seconds}[part]
        when = None if self._began is None else self._began + share
        async with asyncio.timeout_at(when) as timeout:
            self._open[timeout] = share
            try:
                yield timeout
            finally:
                del self._open[timeout]
