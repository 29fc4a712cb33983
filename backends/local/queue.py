"""The queue in front of a local model, and which requests make up a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from backends.local.engine import Written
from backends.request import Request


@dataclass(slots=True, eq=False)
class Asked:
    """One request that waits, or is part of a batch."""

    request: Request
    answer: asyncio.Future[Written]
    alone: bool = False
    """Computed by itself, because a batch with it failed."""
    started: bool = False

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits for the answer. May be asked from any thread, unlike all else of a future."""
        return not self.answer.done()

    def goes_with(self, other: Asked) -> bool:
        """Whether both may be computed together: only what is drawn alike. Schema, length and prefill are a row's own.

        With a seed, answers that differ in nothing but `sample` are drawn apart.
        """
        return not (self.alone or other.alone) and _drawn(self.request) == _drawn(other.request)

    def is_near(self, other: Asked) -> bool:
        """Whether both are of one case or show the same picture, so that they have most of their prompt in common."""
        mine, theirs = self.request, other.request
        pictures = {picture.sha256 for picture in mine.pictures}
        shown = any(picture.sha256 in pictures for picture in theirs.pictures)
        return shown or (mine.origin.case != "" and mine.origin.case == theirs.origin.case)


class Queue:
    """Requests in the order in which they came. For one event loop."""

    def __init__(self) -> None:
        self._rows: list[Asked] = []
        self.arrived = 0
        """Queue that ever came."""

    def add(self, row: Asked) -> None:
        """Put a row at the end."""
        self._rows.append(row)
        self.arrived += 1

    def put_back(self, rows: Iterable[Asked]) -> None:
        """Put rows that were taken at the front again."""
        self._rows[:0] = rows

    def waiting(self) -> list[Asked]:
        """The rows whose answer somebody still waits for, the oldest first."""
        self._rows = [row for row in self._rows if row.wanted]
        return list(self._rows)

    def next_batch(self, most: int) -> list[Asked]:
        """The oldest row and up to `most` - 1 that go with it, those near to it first and else the older; not removed.

        The oldest is always among them, so that no row waits for ever.
        """
        waiting = self.waiting()
        if not waiting:
            return []
        oldest, *others = waiting
        fitting = [row for row in others if row.goes_with(oldest)]
        fitting.sort(key=lambda row: not row.is_near(oldest))
        return [oldest, *fitting[: most - 1]]

    def take(self, most: int) -> list[Asked]:
        """The next batch, removed from the queue."""
        batch = self.next_batch(most)
        self._rows = [row for row in self._rows if row not in batch]
        return batch


def _drawn(request: Request) -> tuple[float | None, float | None, int | None, int]:
    sampling = request.sampling
    return sampling.temperature, sampling.top_p, sampling.seed, 0 if sampling.seed is None else sampling.sample
