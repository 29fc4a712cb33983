"""What was spent: every answer is counted, and told to the case that asked."""

from __future__ import annotations

import dataclasses

from pydantic import BaseModel, ConfigDict

from backends.backend import Backend
from backends.completion import Completion, TokenUsage
from backends.errors import BackendError
from backends.layers.layer import Layer
from backends.layers.relay import Relay
from backends.request import Observer, Request


class UsageTotals(BaseModel):
    """What a run spent so far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: int = 0
    """Answers that a provider gave."""
    cache_hits: int = 0
    """Answers for which no call was made: stored ones, and those shared with an identical request in flight."""
    failures: int = 0
    """Requests that ended in an error of the backend, after all attempts."""
    attempts: int = 0
    """Attempts that went out to a provider, successful or not."""
    usage: TokenUsage = TokenUsage()
    """Tokens of the calls; what stored answers cost once is not counted again."""
    cost: float | None = None
    """US dollars, as far as prices are known; None when no call had a known price."""
    cost_unknown_calls: int = 0
    """Calls whose price is unknown, which `cost` therefore leaves out."""
    seconds: float = 0.0
    """Seconds the provider took for the answers, summed over calls that ran side by side."""


class UsageMeter:
    """Counts for a whole run. For one event loop."""

    def __init__(self) -> None:
        self._totals = UsageTotals()

    @property
    def totals(self) -> UsageTotals:
        """What was spent so far."""
        return self._totals

    def count_attempt(self) -> None:
        """An attempt went out."""
        self._add(attempts=self._totals.attempts + 1)

    def count_failure(self) -> None:
        """A request got no answer."""
        self._add(failures=self._totals.failures + 1)

    def count(self, completion: Completion) -> None:
        """A request got an answer."""
        totals = self._totals
        if completion.cached:
            self._add(cache_hits=totals.cache_hits + 1)
            return
        known = [cost for cost in (totals.cost, completion.cost) if cost is not None]
        self._add(
            calls=totals.calls + 1,
            usage=add_usage(totals.usage, completion.usage),
            cost=sum(known) if known else None,
            cost_unknown_calls=totals.cost_unknown_calls + (completion.cost is None),
            seconds=totals.seconds + completion.seconds,
        )

    def _add(self, **fields: object) -> None:
        self._totals = self._totals.model_copy(update=fields)


class UsageLayer(Layer):
    """Tells the meter and the request's observer what every answer cost."""

    def __init__(self, inner: Backend, meter: UsageMeter) -> None:
        super().__init__(inner)
        self._meter = meter

    async def complete(self, request: Request) -> Completion:
        """Ask the backend inside, and count.

        Raises:
            BackendError, BudgetError: the backend inside gave no answer.
        """
        counted = dataclasses.replace(request, observer=_Counting(request.observer, self._meter))
        try:
            completion = await self._inner.complete(counted)
        except BackendError:
            self._meter.count_failure()
            raise
        self._meter.count(completion)
        if request.observer is not None:
            request.observer.on_completion(completion)
        return completion


class _Counting(Relay):
    """Counts the attempts, also those of calls that fail or whose asker has gone."""

    def __init__(self, observer: Observer | None, meter: UsageMeter) -> None:
        super().__init__(observer)
        self._meter = meter

    def on_attempt(self) -> None:
        self._meter.count_attempt()
        super().on_attempt()


def add_usage(*usages: TokenUsage) -> TokenUsage:
    """The sum, kind by kind; a kind that nobody told stays None."""
    if len(usages) == 1:
        return usages[0]
    return TokenUsage.model_validate({name: _sum(usages, name) for name in TokenUsage.model_fields})


def _sum(usages: tuple[TokenUsage, ...], name: str) -> int | None:
    told = [count for usage in usages if (count := getattr(usage, name)) is not None]
    return sum(told) if told else None


def add_costs(*costs: float | None) -> float | None:
    """The sum, or None if one of them is unknown."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
