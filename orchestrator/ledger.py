"""What one case costs, counted while the layers work."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from backends.completion import Completion, TokenUsage
from backends.layers.usage import add_costs, add_usage
from fusion.verdict import Spending
from orchestrator.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Served:
    """What one backend really answered: how many calls, and their tokens."""

    calls: int = 0
    tokens: TokenUsage = field(default_factory=TokenUsage)


class Ledger:
    """Counts calls, attempts, hits, tokens and money of a case, and starts its clock. A `backends.request.Observer`."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._began = time.monotonic()
        self._attempts = 0
        self._calls = 0
        self._hits = 0
        self._tokens = TokenUsage()
        self._served: dict[str, Served] = {}
        self._cost: float | None = 0.0

    @property
    def attempts(self) -> int:
        """Requests that went out so far."""
        return self._attempts

    @property
    def served(self) -> Mapping[str, Served]:
        """By spec, the backends that gave the answers so far; stored answers are not among them."""
        return self._served

    def on_slot(self) -> None:
        """A slot was granted: the clock runs."""
        self._deadline.start()

    def on_attempt(self) -> None:
        """A request goes out."""
        self._attempts += 1

    def on_completion(self, completion: Completion) -> None:
        """An answer came."""
        if completion.cached:
            self._hits += 1
            return
        self._calls += 1
        self._tokens = add_usage(self._tokens, completion.usage)
        self._cost = add_costs(self._cost, completion.cost)
        before = self._served.get(completion.backend, Served())
        tokens = add_usage(before.tokens, completion.usage)
        self._served[completion.backend] = Served(before.calls + 1, tokens)

    def spending(self, notes: tuple[str, ...] = ()) -> Spending:
        """The sums so far."""
        return Spending(
            calls=self._calls,
            attempts=self._attempts,
            cache_hits=self._hits,
            tokens=self._tokens,
            cost=self._cost,
            seconds=round(time.monotonic() - self._began, 3),
            notes=notes,
        )
