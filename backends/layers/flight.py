"""Identical requests in flight are one call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from backends.completion import Completion
from backends.errors import BudgetError, ConnectError, SixlensError

Call = Callable[[], Coroutine[Any, Any, Completion]]


class _Flight:
    """One call under way, and how many wait for it."""

    def __init__(self, task: asyncio.Task[Completion]) -> None:
        self.task = task
        self.waiters = 0
        self.delivered = False


class SingleFlight:
    """Shares calls that are under way between everybody who asks the same.

    A call runs in a task of its own, so whoever asked first can be cancelled without harm to the others; the task is
    cancelled when nobody waits any more. For one event loop.
    """

    def __init__(self) -> None:
        self._flights: dict[str, _Flight] = {}

    async def run(self, key: str, call: Call) -> tuple[Completion, bool]:
        """The answer to the call named `key`, and whether this is its first delivery (so it counts once).

        `call` is used when no call of that name is under way.

        Raises:
            BackendError, BudgetError: what the call raised, each waiter its own copy.
        """
        while True:
            flight = self._flights.get(key)
            if led := (flight is None or flight.task.done()):
                flight = self._depart(key, call)
            try:
                return await self._wait(key, flight)
            except BudgetError:
                # The one who asked first may have spent a budget of its own: the others ask again, on theirs.
                if led:
                    raise

    def _depart(self, key: str, call: Call) -> _Flight:
        flight = _Flight(asyncio.create_task(call(), name=f"call {key[:12]}"))
        self._flights[key] = flight
        flight.task.add_done_callback(lambda _: self._land(key, flight))
        return flight

    def _land(self, key: str, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.task.cancelled():
            flight.task.exception()  # marks it as seen: the waiters may all be gone

    async def _wait(self, key: str, flight: _Flight) -> tuple[Completion, bool]:
        flight.waiters += 1
        try:
            await asyncio.wait((flight.task,))
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                await self._call_off(key, flight)
        return self._deliver(flight)

    async def _call_off(self, key: str, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]  # nobody may join a call that is being cancelled
        flight.task.cancel()
        await asyncio.wait((flight.task,))

    def _deliver(self, flight: _Flight) -> tuple[Completion, bool]:
        if flight.task.cancelled():
            raise ConnectError("The call was called off from inside; ask again.")
        error = flight.task.exception()
        if isinstance(error, SixlensError):
            raise error.again() from error
        completion = flight.task.result()
        first, flight.delivered = not flight.delivered, True
        return completion, first
