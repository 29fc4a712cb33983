"""What one case costs, counted while the layers work."""

from __future__ import annotations

import time

from backends.completion import Completion, TokenUsage
from fusion.verdict import Spending
from orchestrator.deadline import Deadline


class Ledger:
    """Counts calls, attempts, hits, tokens and money of a case, and starts its clock. A `backends.request.Observer`."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._began = time.monotonic()
        self._attempts = 0
        self._hits = 0
        self._answers: list[Completion] = []

    @property
    def attempts(self) -> int:
        """Requests that went out so far."""
        return self._attempts

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
        else:
            # Only what the sums need: texts would keep a large batch in memory.
            self._answers.append(completion.model_copy(update={"text": "", "logprobs": None}))

    def spending(self, notes: tuple[str, ...] = ()) -> Spending:
        """The sums so far."""
        costs = [answer.cost for answer in self._answers]
        known = [cost for cost in costs if cost is not None]
        return Spending(
            calls=len(self._answers),
            attempts=self._attempts,
            cache_hits=self._hits,
            tokens=_sum([answer.usage for answer in self._answers]),
            cost=sum(known) if len(known) == len(costs) else None,
            seconds=round(time.monotonic() - self._began, 3),
            notes=notes,
        )


def _sum(usages: list[TokenUsage]) -> TokenUsage:
    """The sum of each kind of token; None where nobody said."""
    totals: dict[str, int | None] = {}
    for name in TokenUsage.model_fields:
        said = [value for usage in usages if (value := getattr(usage, name)) is not None]
        totals[name] = sum(said) if said else None
    return TokenUsage(**totals)
