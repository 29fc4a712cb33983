"""What the layers cost in CPU time for each call: `python benchmarks/layer_overhead.py`.

Prints microseconds of the process's CPU time a call, all threads together, around a backend that answers at once.
"""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from backends.backend import Backend
from backends.completion import Completion
from backends.layers.budget import Budget
from backends.layers.cache_key import cache_key
from backends.layers.cache_store import CacheStore
from backends.layers.limiter import LimiterPolicy
from backends.layers.retry import RetryLayer, RetryPolicy
from backends.providers.function import FunctionBackend
from backends.request import Message, Picture, Request, Sampling, Text
from backends.stack import LayerPolicy, Resources, build_stack

CALLS = 5_000
PICTURE = Picture(b"", "image/jpeg", "0" * 64, 1024, 768)
REQUEST = Request((Message("system", (Text("x" * 2_000),)), Message("user", (PICTURE, Text("y" * 1_500)))))
ANSWER = Completion(text="z" * 1_500, model="m", backend="function:test")


async def answer(_: Request) -> Completion:
    """Answer at once."""
    return ANSWER


def requests(start: int = 0) -> Iterable[Request]:
    """Requests that differ."""
    return (dataclasses.replace(REQUEST, sampling=Sampling(seed=start + i)) for i in range(CALLS))


async def spent(ask: Callable[[Request], Awaitable[object]], asked: Iterable[Request]) -> float:
    """Microseconds of CPU a call."""
    listed = list(asked)
    started = time.process_time()
    for request in listed:
        await ask(request)
    return (time.process_time() - started) / len(listed) * 1e6


def stack(store: CacheStore | None = None, budget: Budget | None = None) -> Backend:
    """The whole stack around the function."""
    policy = LayerPolicy(limiter=LimiterPolicy(start=32))
    return build_stack([FunctionBackend(answer)], Resources(store=store, budget=budget or Budget()), policy)


async def main() -> None:
    """Measure and print."""
    bare = FunctionBackend(answer)
    base = await spent(bare.complete, requests())
    rows = {
        "retry alone (tenacity)": await spent(RetryLayer(bare, RetryPolicy()).complete, requests()) - base,
        "stack, no store": await spent(stack().complete, requests()) - base,
        "stack, tokens limited": await spent(stack(budget=Budget(tokens=10**12)).complete, requests()) - base,
    }
    with tempfile.TemporaryDirectory() as folder:
        store = CacheStore(Path(folder) / "answers.sqlite")
        cached = stack(store)
        rows["stack, a miss that is stored"] = await spent(cached.complete, requests()) - base
        store.flush()
        rows["stack, a hit"] = await spent(cached.complete, requests())
        keys = [cache_key("function:test", request) for request in requests()]
        started = time.process_time()
        for key in keys:
            store.get(key)
        rows["store, a hit alone"] = (time.process_time() - started) / CALLS * 1e6
        store.close()
    started = time.process_time()
    for request in requests():
        cache_key("function:test", request)
    rows["cache key"] = (time.process_time() - started) / CALLS * 1e6
    for name, microseconds in rows.items():
        print(f"{name:32} {microseconds:7.1f} µs")


if __name__ == "__main__":
    asyncio.run(main())
