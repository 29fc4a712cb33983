"""What a run may still spend, divided among workers so that all together never exceed it."""

from __future__ import annotations

from dataclasses import dataclass, field

from backends.layers.budget import Amount, Budget
from evals.experiment import RunBudget

STILL = 10
"""After so many balances without a change a worker counts as waiting."""
_SHARES = 4
"""A worker gets one in so many parts of its even share at a time, so that little is lost with a worker that dies."""

_TURN = 5
"""Balances for which one of them has everything: the others have put theirs back by then, and all is opened."""


@dataclass(slots=True)
class _Account:
    """What a worker has. It may spend `held` at any moment: what its calls under way may take, and what is free."""

    life: str
    spent: Amount = field(default_factory=Amount)
    held: Amount = field(default_factory=Amount)
    still: int = 0
    works: bool = True


@dataclass(frozen=True, slots=True)
class Balance:
    """What a worker is told."""

    free: Amount
    """It may be spent besides what the calls under way may take."""
    others: Amount
    """Spent by everybody else."""


class Purse:
    """Keeps the limits of a stretch. Every worker balances its account again and again, and offers back what is free.

    What it gives must be opened before: the process that owns the run writes it down first.

    Args:
        limits: of all workers together; None for no limit.
        workers: how many there are.
    """

    def __init__(self, limits: RunBudget, workers: int) -> None:
        self._limits = limits
        self._workers = workers
        self._accounts: dict[str, _Account] = {}
        self._turn: str | None = None
        self._balances = 0
        self._opened = Amount()
        self.wanted = Amount()
        """What should be opened, so that every worker has its part."""
        self.lost: dict[str, Amount] = {}
        """What workers that died may have spent, by life; it counts as spent."""

    def balance(self, worker: str, life: str, spent: Amount, pending: Amount) -> Balance:
        """Settle with a worker that has set aside all that it had free.

        Args:
            worker: which one.
            life: another one says that the worker died and was started again.
            spent: by it in this life.
            pending: what its calls under way may take.
        """
        account = self._account(worker, life)
        account.still = account.still + 1 if spent == account.spent and pending == Amount() else 0
        account.spent, account.held, account.works = spent, pending, True
        granted = self._grant(worker)
        account.held = pending + granted
        others = [other.spent for name, other in self._accounts.items() if name != worker]
        return Balance(granted, sum(others, self._lost()))

    def leave(self, worker: str, life: str, spent: Amount) -> None:
        """A worker has nothing more to do for now."""
        account = self._account(worker, life)
        account.spent, account.held, account.works = spent, Amount(), False

    def open(self, more: Amount) -> None:
        """So much more may be given to workers."""
        self._opened += more
        self.wanted = Amount()

    @property
    def spent(self) -> Amount:
        """By all together, as far as they said, and at most so much where they died."""
        return sum((account.spent for account in self._accounts.values()), self._lost())

    def _grant(self, worker: str) -> Amount:
        taken = self._taken()
        free = rest(self._limits, taken)
        due = free if self._stuck() else _part(free, _SHARES * self._workers)
        if self._stuck() and not self._has_turn(worker):
            return Amount()
        there = self._opened - taken
        short = due - there
        self.wanted = Amount(max(0, short.calls), max(0, short.tokens), max(0.0, short.cost))
        return Amount(
            max(0, min(due.calls, there.calls)),
            max(0, min(due.tokens, there.tokens)),
            max(0.0, min(due.cost, there.cost)),
        )

    def _account(self, worker: str, life: str) -> _Account:
        account = self._accounts.get(worker)
        if account is not None and account.life != life:
            # Nobody knows how much of its part the dead one spent.
            self.lost[account.life] = account.spent + account.held
            account = None
        if account is None:
            account = self._accounts[worker] = _Account(life)
        return account

    def _lost(self) -> Amount:
        return sum(self.lost.values(), Amount())

    def _taken(self) -> Amount:
        return sum((account.spent + account.held for account in self._accounts.values()), self._lost())

    def _stuck(self) -> bool:
        """Whether all wait: perhaps for more than the part that each of them gets."""
        return all(account.still >= STILL for account in self._accounts.values() if account.works)

    def _has_turn(self, worker: str) -> bool:
        """Whether the worker gets everything that is free now. It comes round."""
        names = [name for name, account in self._accounts.items() if account.works]
        if self._turn not in names:
            self._turn, self._balances = worker, 0
        if self._turn == worker:
            self._balances += 1
            if self._balances > _TURN:
                self._turn, self._balances = names[(names.index(worker) + 1) % len(names)], 0
        return self._turn == worker


def rest(limits: RunBudget, taken: Amount) -> Amount:
    """What is left of the limits, at least 0; 0 where there is none."""
    return Amount(
        calls=0 if limits.calls is None else max(0, limits.calls - taken.calls),
        tokens=0 if limits.tokens is None else max(0, limits.tokens - taken.tokens),
        cost=0.0 if limits.cost is None else max(0.0, limits.cost - taken.cost),
    )


def _part(free: Amount, parts: int) -> Amount:
    """A part of it; of calls and tokens at least 1, as long as there are any."""
    return Amount(-(-free.calls // parts), -(-free.tokens // parts), free.cost / parts)


class Share:
    """A worker's part of the budget. What is not granted to it counts as set aside in `budget`, so calls wait for it.

    Args:
        limits: of all workers together.
    """

    def __init__(self, limits: RunBudget) -> None:
        self.budget = Budget(limits.calls, limits.tokens, limits.cost, name="experiment")
        self._limits = limits
        self._locked = Amount()
        self._others = Amount()

    @property
    def spent(self) -> Amount:
        """By this worker alone."""
        return self.budget.spent - self._others

    @property
    def pending(self) -> Amount:
        """What calls under way may take."""
        return self.budget.reserved - self._locked

    async def lock(self) -> None:
        """Set aside all that is free."""
        free = rest(self._limits, self.budget.spent + self.budget.reserved)
        await self.budget.reserve(free)
        self._locked += free

    def open(self, balance: Balance) -> None:
        """Free what was granted, and count what the others spent."""
        more = balance.others - self._others
        self._others = balance.others
        self._locked -= more + balance.free
        self.budget.settle(more + balance.free, more)
