"""Budgets: hard limits on calls, tokens and dollars, reserved before each attempt and settled after it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from backends import tokens
from backends.backend import Backend
from backends.completion import Completion
from backends.errors import (
    AuthError,
    BackendError,
    BudgetError,
    ConfigError,
    ContextLengthError,
    InvalidRequestError,
    QuotaError,
    UnsupportedError,
)
from backends.layers.layer import Layer
from backends.layers.relay import Relay
from backends.prices import Prices
from backends.request import Observer, Request

_REFUSED = (AuthError, QuotaError, InvalidRequestError, UnsupportedError, ContextLengthError)
"""With these, and when it turns a call away, the server did no work, so no tokens are spent. Else it may have."""
_ROUNDING = 1e-9
"""Sums of dollars are compared with this much grace: three times 0.1 is within 0.3."""


@dataclass(frozen=True, slots=True)
class Amount:
    """So many attempts, tokens (input and output) and US dollars."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.calls + other.calls, self.tokens + other.tokens, self.cost + other.cost)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.calls - other.calls, self.tokens - other.tokens, self.cost - other.cost)


class Budget:
    """Limits that a run (or a case in it) never exceeds: no attempt starts that might. For one event loop.

    Calls count attempts, failed ones included, and the limit is exact. Tokens and dollars are reserved by an estimate
    that is seldom too low, and settled by what the provider counts.

    Args:
        calls: attempts in all; None sets no limit.
        tokens: input and output tokens in all; None sets no limit.
        cost: US dollars in all; None sets no limit.
        name: what the budget is for, in messages.
        parent: a budget in which everything spent here counts too; use `child`.
    """

    def __init__(
        self,
        calls: int | None = None,
        tokens: int | None = None,
        cost: float | None = None,
        name: str = "run",
        parent: Budget | None = None,
    ) -> None:
        self.calls = calls
        self.tokens = tokens
        self.cost = cost
        self.name = name
        self.spent = Amount()
        self.reserved = Amount()
        self.refused = False
        """Whether an attempt did not fit; from then on there is little sense in starting anything."""
        self._parent = parent
        self._waiting: dict[asyncio.Future[None], None] = parent._waiting if parent is not None else {}

    def child(
        self, calls: int | None = None, tokens: int | None = None, cost: float | None = None, name: str = "case"
    ) -> Budget:
        """A budget inside this one: an attempt must fit into both."""
        return Budget(calls, tokens, cost, name, self)

    def chain(self) -> Iterator[Budget]:
        """This budget and those that it lies in, innermost first."""
        budget: Budget | None = self
        while budget is not None:
            yield budget
            budget = budget._parent

    async def reserve(self, need: Amount) -> None:
        """Set `need` aside, here and in the budgets around; `settle` must follow.

        What does not fit only because of reservations of others waits until these are settled.

        Raises:
            BudgetError: it does not fit.
        """
        while not self._fits(need):
            settled = asyncio.get_running_loop().create_future()
            self._waiting[settled] = None
            try:
                await settled
            finally:
                del self._waiting[settled]
        for budget in self.chain():
            budget.reserved += need

    def settle(self, need: Amount, spent: Amount) -> None:
        """Replace the reservation `need` by what was really `spent`."""
        for budget in self.chain():
            budget.reserved -= need
            budget.spent += spent
        for settled in self._waiting:
            if not settled.done():
                settled.set_result(None)

    def _fits(self, need: Amount) -> bool:
        for budget in self.chain():
            if not budget._allows(budget.spent + need):
                budget.refused = True
                raise BudgetError(budget._explain(need))
        return all(budget._allows(budget.spent + budget.reserved + need) for budget in self.chain())

    def _allows(self, total: Amount) -> bool:
        return (
            (self.calls is None or total.calls <= self.calls)
            and (self.tokens is None or total.tokens <= self.tokens)
            and (self.cost is None or total.cost <= self.cost + _ROUNDING)
        )

    def _explain(self, need: Amount) -> str:
        spent, parts = self.spent, []
        if self.calls is not None:
            parts.append(f"{spent.calls} of {self.calls} calls")
        if self.tokens is not None:
            parts.append(f"{spent.tokens} of {self.tokens} tokens (the next call may need {need.tokens})")
        if self.cost is not None:
            parts.append(f"${spent.cost:.4f} of ${self.cost:.4f} (the next call may need ${need.cost:.4f})")
        return f"The budget of the {self.name} allows no further call; spent are {', '.join(parts)}. Raise it to go on."


class BudgetLayer(Layer):
    """Lets an attempt pass only if it fits the budget, and puts a price on the answer.

    The limiter inside says (`on_slot`) that the attempt goes out: until then it costs nothing, so an attempt that is
    cancelled while it queues leaves the budget as it was. The observer hears `on_attempt` in the same moment.

    Args:
        inner: who is asked: the limiter around a provider.
        budget: the run's; a request may bring the case's own, which must be a child of it.
        prices: what tokens cost.
    """

    def __init__(self, inner: Backend, budget: Budget, prices: Prices) -> None:
        super().__init__(inner)
        self._budget = budget
        self._prices = prices

    async def complete(self, request: Request) -> Completion:
        """Make one attempt within the budget.

        Raises:
            BudgetError: the attempt does not fit, or its price is unknown and dollars are limited.
            BackendError: the attempt failed.
        """
        budget = self._budget_for(request)
        need = self._need(request, budget)
        await budget.reserve(need)
        attempt = _Attempt(request.observer)
        spent = need
        try:
            completion = await self._inner.complete(dataclasses.replace(request, observer=attempt))
            completion = completion.model_copy(update={"cost": self._prices.cost(self.spec, completion.usage)})
            attempt.sent = True
            spent = _spent(completion, need)
        except BackendError as error:
            if error.turned_away or isinstance(error, _REFUSED):
                spent = Amount(calls=1)
            raise
        finally:
            budget.settle(need, spent if attempt.sent else Amount())
        return completion

    def _budget_for(self, request: Request) -> Budget:
        budget = request.budget or self._budget
        if self._budget not in budget.chain():
            raise ConfigError("The budget of a case must be a child of the run's budget (Budget.child).")
        return budget

    def _need(self, request: Request, budget: Budget) -> Amount:
        """What an attempt may take; counted only as far as something is limited."""
        limits = list(budget.chain())
        if all(limit.tokens is None and limit.cost is None for limit in limits):
            return Amount(calls=1)
        call = tokens.of_call(request, self.capabilities.image_tokens)
        cost = self._prices.estimate(self.spec, call.prompt, call.answer)
        if cost is None and any(limit.cost is not None for limit in limits):
            raise BudgetError(
                f"The price of {self.spec} is unknown, so a budget in dollars cannot be kept: give its price in a "
                "price table (`models:`), or limit calls or tokens instead."
            )
        return Amount(1, call.total, cost or 0.0)


class _Attempt(Relay):
    """Hears that the limiter let an attempt go out."""

    def __init__(self, observer: Observer | None) -> None:
        super().__init__(observer)
        self.sent = False

    def on_slot(self) -> None:
        self.sent = True
        super().on_slot()
        super().on_attempt()


def _spent(completion: Completion, need: Amount) -> Amount:
    """What an answer took: as counted by the provider, else as estimated."""
    usage = completion.usage
    if usage.input_tokens is None or usage.output_tokens is None:
        return need
    cost = completion.cost if completion.cost is not None else need.cost
    return Amount(1, usage.input_tokens + usage.output_tokens, cost)
