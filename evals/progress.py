"""How far a run is."""

from __future__ import annotations

import time
from collections import Counter, deque

from evals.judgment import Judgment

RECENT = 200
"""The rate is that of so many last tasks."""


class Progress:
    """Counts what is done.

    Args:
        total: tasks of the whole run.
        done: of them, those done before this session.
        failed: of those done before, the ones that ended in an error or lack an examination.
    """

    def __init__(self, total: int, done: int, failed: int = 0) -> None:
        self.total = total
        self.done = done
        self.labels: Counter[str] = Counter()
        """`generated`, `real`, `undecided` and `error`, of this session."""
        self.failed_before = failed
        self.errors: Counter[str] = Counter()
        """Kinds of errors of this session, by the names of their classes."""
        self.calls = 0
        self.cost_at_least = 0.0
        """US dollars of this session, of the tasks whose cost is known."""
        self.unpriced = 0
        """Tasks of this session whose cost is not known."""
        self._times: deque[float] = deque([time.monotonic()], maxlen=RECENT + 1)

    def add(self, judgment: Judgment) -> None:
        """One task is done."""
        self.done += 1
        self.labels[judgment.label.value if judgment.label else "error"] += 1
        if judgment.error_kind is not None:
            self.errors[judgment.error_kind] += 1
        self.calls += judgment.costs.calls or 0
        self.unpriced += judgment.costs.cost is None
        self.cost_at_least += judgment.costs.cost or 0.0
        self._times.append(time.monotonic())

    @property
    def cost(self) -> float | None:
        """US dollars of this session; None when the cost of any task is unknown."""
        return None if self.unpriced else self.cost_at_least

    @property
    def rate(self) -> float | None:
        """Tasks a second, of the last ones; None before the first."""
        if len(self._times) < 2:
            return None
        return (len(self._times) - 1) / max(1e-9, self._times[-1] - self._times[0])

    @property
    def seconds_left(self) -> float | None:
        """At that rate."""
        return None if self.rate is None else (self.total - self.done) / self.rate

    @property
    def coverage(self) -> float | None:
        """The share of this session's tasks that ended `generated` or `real`; None before the first."""
        judged = self.labels.total()
        return (self.labels["generated"] + self.labels["real"]) / judged if judged else None
