from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from orchestrator.window import in_window


async def test_at_most_window_items_are_under_way_and_items_are_taken_as_room_frees() -> None:
    under_way, peak, taken = 0, 0, 0

    def items():
        nonlocal taken
        for number in range(50):
            taken += 1
            yield number

    async def work(number: int) -> int:
        nonlocal under_way, peak
        under_way += 1
        peak = max(peak, under_way)
        await asyncio.sleep(0.001 * (number % 3))
        under_way -= 1
        return number

    seen = []
    async with aclosing(in_window(work, items(), 4, ordered=False)) as results:
        async for result in results:
            seen.append(result)
            assert taken <= len(seen) + 4
    assert sorted(seen) == list(range(50))
    assert peak == 4


async def test_ordered_results_come_in_the_order_of_the_items() -> None:
    async def work(number: int) -> int:
        await asyncio.sleep(0.005 if number == 0 else 0)
        return number

    assert [result async for result in in_window(work, range(8), 3, ordered=True)] == list(range(8))


async def test_unordered_results_come_as_they_finish() -> None:
    async def work(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    assert [result async for result in in_window(work, [0.05, 0.0], 2, ordered=False)] == [0.0, 0.05]


async def test_stopping_early_cancels_and_waits_for_what_is_under_way() -> None:
    cancelled = []

    async def work(number: int) -> int:
        if number == 0:
            return 0
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        return number

    async with aclosing(in_window(work, range(5), 3, ordered=False)) as results:
        async for _ in results:
            await asyncio.sleep(0)
            break
    assert cancelled == [1, 2, 3]


async def test_an_error_of_the_work_ends_it() -> None:
    async def work(number: int) -> int:
        raise ValueError(str(number))

    with pytest.raises(ValueError, match="0"):
        async for _ in in_window(work, range(5), 1, ordered=False):
            pass


async def test_a_window_without_room_is_refused() -> None:
    async def work(number: int) -> int:
        return number

    with pytest.raises(ValueError, match="at least one"):
        async for _ in in_window(work, [1], 0, ordered=False):
            pass
