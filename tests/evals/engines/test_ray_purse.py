from __future__ import annotations

import asyncio
import random

import pytest

from backends.errors import BudgetError
from backends.layers.budget import Amount
from evals.engines.ray_purse import STILL, Purse, Share
from evals.experiment import RunBudget


def opened(purse: Purse) -> Purse:
    """The purse, with everything opened that it wants."""
    if purse.wanted != Amount():
        purse.open(purse.wanted)
    return purse


async def balance(purse: Purse, share: Share, worker: str) -> None:
    await share.lock()
    share.open(purse.balance(worker, worker, share.spent, share.pending))
    opened(purse)


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
@pytest.mark.parametrize(("limits", "most"), [(RunBudget(calls=23), 1), (RunBudget(calls=500, tokens=9_000), 400)])
async def test_all_workers_together_spend_the_budget_and_no_more(workers: int, limits: RunBudget, most: int) -> None:
    purse, chance = Purse(limits, workers), random.Random(workers)
    shares = {f"w{number}": Share(limits) for number in range(workers)}
    refused = 0

    async def spend(share: Share) -> None:
        nonlocal refused
        need = Amount(1, chance.randint(1, most), 0.0)
        try:
            await share.budget.reserve(need)
        except BudgetError:
            refused += 1
            return
        await asyncio.sleep(0.001 * chance.random())
        share.budget.settle(need, Amount(1, chance.randint(1, need.tokens), 0.0))

    async def keep() -> None:
        while True:
            for worker, share in shares.items():
                await balance(purse, share, worker)
            await asyncio.sleep(0.001)

    for share in shares.values():
        await share.lock()
    keeper = asyncio.ensure_future(keep())
    async with asyncio.timeout(20):
        await asyncio.gather(*(spend(share) for share in shares.values() for _ in range(120)))
    keeper.cancel()
    total = sum((share.spent for share in shares.values()), Amount())
    assert refused > 0
    assert total.calls <= (limits.calls or 0)
    if limits.tokens is None:
        assert total.calls == limits.calls
    else:
        assert limits.tokens - most <= total.tokens <= limits.tokens


async def test_nothing_is_given_that_was_not_opened() -> None:
    purse, share = Purse(RunBudget(calls=8), 2), Share(RunBudget(calls=8))
    await share.lock()
    assert purse.balance("w", "first", Amount(), Amount()).free == Amount()
    assert purse.wanted == Amount(calls=1)
    purse.open(Amount(calls=1))
    assert purse.balance("w", "first", Amount(), Amount()).free == Amount(calls=1)


async def test_what_a_dead_worker_held_counts_as_spent() -> None:
    purse = Purse(RunBudget(calls=40), 1)
    purse.open(Amount(calls=40))
    assert purse.balance("w", "first", Amount(calls=5), Amount(calls=2)).free == Amount(calls=9)
    after = purse.balance("w", "second", Amount(), Amount())
    assert purse.lost == {"first": Amount(calls=16)}
    assert after.others == Amount(calls=16)
    assert purse.spent == Amount(calls=16)


async def test_a_call_larger_than_any_part_gets_its_turn() -> None:
    limits = RunBudget(tokens=100)
    purse, shares = Purse(limits, 2), {"a": Share(limits), "b": Share(limits)}
    for share in shares.values():
        await share.lock()
    waiting = [asyncio.ensure_future(share.budget.reserve(Amount(1, 90))) for share in shares.values()]
    for _ in range(3 * STILL):
        for worker, share in shares.items():
            await balance(purse, share, worker)
            await asyncio.sleep(0)
    assert sorted(each.done() for each in waiting) == [False, True]
    for each in waiting:
        each.cancel()


async def test_a_worker_that_left_holds_nothing() -> None:
    purse = Purse(RunBudget(calls=10), 2)
    purse.open(Amount(calls=10))
    purse.balance("a", "a", Amount(), Amount())
    purse.leave("a", "a", Amount(calls=1))
    for _ in range(STILL + 1):
        told = purse.balance("b", "b", Amount(), Amount())
    assert (told.free, told.others) == (Amount(calls=9), Amount(calls=1))
