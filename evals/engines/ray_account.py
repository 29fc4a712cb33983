"""What workers spend, in the budget of the process that owns the run."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from backends.layers.budget import Amount, Budget
from evals.engines.ray_cluster import import_ray


class Account:
    """Sets aside what workers may take before they may, and replaces it by what they spent.

    So whoever writes down what is set aside in `budget` has written it before a worker spends it.

    Args:
        budget: the run's.
        desk: the handle of the `Desk` actor.
    """

    def __init__(self, budget: Budget, desk: Any) -> None:
        self._budget = budget
        self._desk = desk
        self._aside = Amount()
        self._lives: dict[str, Amount] = {}
        self._spent = Amount()

    async def open(self) -> None:
        """Open the budget to the workers, piece by piece as they need it; runs until it is cancelled."""
        with suppress(import_ray().exceptions.RayError):  # the end of the desk is heard elsewhere
            while True:
                more: Amount = await self._desk.until_wanted.remote()
                await self._budget.reserve(more)
                self._aside += more
                await self._desk.open.remote(more)

    def note(self, life: str, amount: Amount) -> None:
        """Count what a worker says that it has spent in its life so far."""
        before = self._lives.get(life, Amount())
        if amount.calls >= before.calls:
            self._lives[life] = amount
            self._count(amount - before)

    async def close(self) -> None:
        """Count what was spent without a result, and free what is left. All workers have stopped."""
        with suppress(import_ray().exceptions.RayError):
            spent: Amount = await self._desk.spent.remote()
            if spent.calls > self._spent.calls:
                self._count(spent - self._spent)
        self._budget.settle(self._aside, Amount())
        self._aside = Amount()

    def _count(self, spent: Amount) -> None:
        covered = Amount(
            min(spent.calls, self._aside.calls),
            min(spent.tokens, self._aside.tokens),
            min(spent.cost, self._aside.cost),
        )
        self._aside -= covered
        self._spent += spent
        self._budget.settle(covered, spent)
