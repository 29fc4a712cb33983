"""A bounded window over any number of inputs."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def in_window(
    work: Callable[[Item], Awaitable[Result]], items: Iterable[Item], window: int, *, ordered: bool
) -> AsyncGenerator[Result]:
    """Work on the items, at most `window` of them at once, and yield the results as they finish or in order.

    Items are taken from the iterable one by one, as room becomes free: results that were not yet taken count as room.
    When the caller stops early, what is under way is cancelled and waited for. The first error of `work` ends it all.
    """
    if window < 1:
        raise ValueError("a window has room for at least one")
    source = iter(items)
    tasks: deque[asyncio.Task[Result]] = deque()
    try:
        _fill(tasks, work, source, window)
        while tasks:
            if ordered:
                await asyncio.wait([tasks[0]])
            else:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            done = tasks[0] if ordered else next(task for task in tasks if task.done())
            tasks.remove(done)
            _fill(tasks, work, source, window)
            yield done.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _fill(
    tasks: deque[asyncio.Task[Result]],
    work: Callable[[Item], Awaitable[Result]],
    source: Iterator[Item],
    window: int,
) -> None:
    while len(tasks) < window:
        try:
            item = next(source)
        except StopIteration:
            return
        tasks.append(asyncio.ensure_future(_run(work, item)))


async def _run(work: Callable[[Item], Awaitable[Result]], item: Item) -> Result:
    return await work(item)
