from __future__ import annotations

import asyncio

import pytest

from orchestrator.deadline import Deadline


async def test_the_clock_stands_still_until_it_is_started() -> None:
    deadline = Deadline(0.02, 0.0)
    async with deadline.scope():
        await asyncio.sleep(0.06)


async def test_work_is_cancelled_when_the_time_since_the_start_is_up() -> None:
    deadline = Deadline(0.02, 0.0)
    deadline.start()
    with pytest.raises(TimeoutError):
        async with deadline.scope():
            await asyncio.sleep(5)


async def test_the_share_of_fusion_is_kept_back() -> None:
    deadline = Deadline(0.2, 0.18)
    deadline.start()
    with pytest.raises(TimeoutError):
        async with deadline.scope():
            await asyncio.sleep(5)
    async with deadline.scope("fusion"):
        await asyncio.sleep(0.05)


async def test_a_second_start_does_not_give_more_time() -> None:
    deadline = Deadline(0.03, 0.0)
    deadline.start()
    await asyncio.sleep(0.05)
    deadline.start()
    with pytest.raises(TimeoutError):
        async with deadline.scope():
            await asyncio.sleep(1)


async def test_the_start_reaches_every_open_scope() -> None:
    deadline = Deadline(0.02, 0.0)

    async def wait() -> str:
        try:
            async with deadline.scope():
                await asyncio.sleep(5)
        except TimeoutError:
            return "late"
        return "done"

    async def begin() -> None:
        await asyncio.sleep(0)
        deadline.start()

    results = await asyncio.gather(wait(), wait(), begin())
    assert results[:2] == ["late", "late"]
