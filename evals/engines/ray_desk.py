"""Where workers and the process that owns the run meet: results go through it, and shares of the budget."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from backends.errors import ProgramError
from backends.layers.budget import Amount
from evals.engines.ray_purse import Balance, Purse
from evals.engines.ray_row import write_error
from evals.experiment import RunBudget

MOST_TAKEN = 64
"""Results handed over at once."""
MOST_LIVES = 4
"""A worker that dies is started again by Ray, and its batch done again, until it has died so often."""
_DYING = (
    f"A worker died {MOST_LIVES - 1} times, perhaps for want of memory. What is done is kept: set ray.workers or "
    "ray.batch lower and go on with --resume."
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What the process that owns the run gets."""

    rows: list[str]
    lost: dict[str, Amount]
    """What workers that died may have spent of a limited budget, by life."""


class Desk:
    """An actor beside the process that owns the run.

    Args:
        tasks: how many results there will be.
        room: results that wait here at most; workers wait then.
        limits: of all workers together; None for no limit.
        workers: how many there are.
    """

    def __init__(self, tasks: int, room: int, limits: RunBudget, workers: int) -> None:
        self._tasks = tasks
        self._known: set[int] = set()
        self._results: asyncio.Queue[str] = asyncio.Queue(room)
        self._end = asyncio.Event()
        self._lives: dict[str, set[str]] = {}
        self._purse = Purse(limits, workers)
        self._wanted = asyncio.Event()

    async def missing(self, numbers: Sequence[int], worker: str, life: str) -> list[int]:
        """Of these tasks, those without a result; none after the end, or for a worker that died too often."""
        lives = self._lives.setdefault(worker, set())
        lives.add(life)
        if len(lives) > MOST_LIVES:
            await self.fail(write_error(ProgramError(_DYING), life))
            return []
        return [] if self._end.is_set() else [number for number in numbers if number not in self._known]

    async def deliver(self, number: int, result: str) -> None:
        """A worker has a result. Of a second one for the same task nothing is kept."""
        if number in self._known or self._end.is_set():
            return
        self._known.add(number)
        await self._results.put(result)
        if len(self._known) == self._tasks:
            self._end.set()

    async def fail(self, error: str) -> None:
        """A worker cannot work at all."""
        await self._results.put(error)

    async def take(self) -> Taken:
        """Results in the order of their coming, at least one, and what dead workers may have spent."""
        rows = [await self._results.get()]
        while len(rows) < MOST_TAKEN and not self._results.empty():
            rows.append(self._results.get_nowait())
        return Taken(rows, dict(self._purse.lost))

    async def stop(self) -> None:
        """Nothing more is wanted."""
        self._end.set()

    async def over(self) -> bool:
        """Whether every result is there, or none is wanted any more."""
        return self._end.is_set()

    async def until_end(self) -> None:
        """Return when `over` is true."""
        await self._end.wait()

    async def balance(self, worker: str, life: str, spent: Amount, pending: Amount) -> Balance:
        """See `Purse.balance`."""
        balance = self._purse.balance(worker, life, spent, pending)
        if self._purse.wanted != Amount():
            self._wanted.set()
        return balance

    async def leave(self, worker: str, life: str, spent: Amount) -> None:
        """See `Purse.leave`."""
        self._purse.leave(worker, life, spent)

    async def until_wanted(self) -> Amount:
        """Return when workers need more than was opened: so much more."""
        await self._wanted.wait()
        return self._purse.wanted

    async def open(self, more: Amount) -> None:
        """See `Purse.open`."""
        self._wanted.clear()
        self._purse.open(more)

    async def spent(self) -> Amount:
        """By all workers, of a limited budget."""
        return self._purse.spent
