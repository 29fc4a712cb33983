"""The limiter against simulated servers, on virtual time: how much is refused, and how much capacity is used."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from backends.backend import Backend
from backends.completion import Completion
from backends.errors import AttemptTimeoutError, BackendError, RateLimitError, ServerError
from backends.layers.layer import Layer
from backends.layers.limiter import Limiter, LimiterLayer, LimiterPolicy
from backends.layers.retry import RetryLayer, RetryPolicy
from backends.providers.function import FunctionBackend
from backends.request import Request

Run = Callable[[Coroutine[Any, Any, Any]], Any]
ANSWER = Completion(text="x", model="m", backend="b")
MANY_ATTEMPTS = RetryPolicy(attempts=100, max_wait_s=1e9)


class Server:
    """Answers after about 0.2 s; refuses at once what is beyond its capacity, and some more by chance."""

    def __init__(
        self,
        capacity: int,
        retry_after: float | None = None,
        luck: float = 1.0,
        spread: float = 0.3,
        refusal: Callable[..., BackendError] = RateLimitError,
    ) -> None:
        self.capacity = capacity
        self.refusal = refusal
        self.retry_after = retry_after
        self.luck = luck
        self.spread = spread
        self.busy = self.calls = self.refused = 0
        self.work = 0.0
        self.chance = random.Random(1)

    async def __call__(self, _: Request) -> Completion:
        self.calls += 1
        if self.busy >= self.capacity or self.chance.random() > self.luck:
            self.refused += 1
            raise self.refusal("slow down", retry_after=self.retry_after)
        seconds = 0.2 * (1 + self.spread * (2 * self.chance.random() - 1))
        self.busy += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self.busy -= 1
        self.work += seconds
        return ANSWER


@dataclass
class Measured:
    seconds: float
    refused: float
    """Share of the calls."""
    used: float
    """Share of the server's capacity."""


class Bare(Layer):
    """What the limiter is compared with."""

    def __init__(self, inner: Backend, slots: int) -> None:
        super().__init__(inner)
        self.semaphore = asyncio.Semaphore(slots)

    async def complete(self, request: Request) -> Completion:
        async with self.semaphore:
            return await self._inner.complete(request)


def limited(server: Server, **bounds: int) -> Backend:
    limiter = Limiter(LimiterPolicy(**bounds))
    layer = LimiterLayer(FunctionBackend(server), lambda: limiter)
    return RetryLayer(layer, MANY_ATTEMPTS, jitter=random.Random(2).random)


async def measure(server: Server, backend: Backend, warm_up: int, calls: int, workers: int = 64) -> Measured:
    """Put `warm_up` answers through, then as many as `calls`, which are measured."""
    left, began, ended = iter(range(warm_up + calls)), [0.0, 0.0, 0.0, 0.0], [0.0]

    async def work() -> None:
        for number in left:
            if number == warm_up:
                began[:] = [asyncio.get_running_loop().time(), server.work, server.calls, server.refused]
            await backend.complete(Request(()))
            if number == warm_up + calls - workers:  # before the workers run out of work
                ended[:] = [asyncio.get_running_loop().time(), server.work, server.calls, server.refused]

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())
    seconds, work_done, made, refused = (end - start for end, start in zip(ended, began, strict=True))
    return Measured(seconds, refused / made, work_done / seconds / server.capacity)


@pytest.mark.parametrize("retry_after", [None, 0.2, 1.0])
@pytest.mark.parametrize("capacity", [1, 2, 4, 8, 20, 50])
def test_beyond_its_capacity_a_server_is_seldom_asked_and_within_it_is_used(
    run_virtual: Run, capacity: int, retry_after: float | None
) -> None:
    server = Server(capacity, retry_after)
    found = run_virtual(measure(server, limited(server), 500, 2_000))
    assert found.refused < 0.05
    assert found.used >= 0.9


@pytest.mark.parametrize(
    "refusal", [partial(ServerError, status=503), partial(ServerError, status=529), AttemptTimeoutError]
)
def test_a_busy_server_is_understood_in_other_words_too(run_virtual: Run, refusal: Callable[..., BackendError]) -> None:
    server = Server(8, refusal=refusal)
    found = run_virtual(measure(server, limited(server), 500, 2_000))
    assert found.refused < 0.05
    assert found.used >= 0.9


def test_other_failures_say_nothing_about_how_much_is_in_flight(run_virtual: Run) -> None:
    server = Server(10_000, luck=0.7, refusal=partial(ServerError, status=500))
    found = run_virtual(measure(server, limited(server), 500, 2_000))
    assert found.used * server.capacity > 30


def test_the_warm_up_is_short(run_virtual: Run) -> None:
    server = Server(8)
    found = run_virtual(measure(server, limited(server), 0, 300))
    assert found.refused < 0.05
    assert found.used >= 0.85


def test_what_is_allowed_is_used_like_by_a_bare_semaphore(run_virtual: Run) -> None:
    def seconds(warm_up: int, bare: bool) -> float:
        server = Server(10_000, spread=0.0)
        backend = Bare(FunctionBackend(server), 32) if bare else limited(server, start=8, ceiling=32)
        found: Measured = run_virtual(measure(server, backend, warm_up, 2_000))
        return found.seconds

    assert seconds(100, bare=True) >= 0.98 * seconds(100, bare=False)
    assert seconds(0, bare=False) - seconds(0, bare=True) <= 2 * 0.2, "the way up costs two round trips at most"


def test_a_server_that_gets_smaller_and_larger_is_followed(run_virtual: Run) -> None:
    async def main() -> None:
        server = Server(32)
        asked = asyncio.create_task(measure(server, limited(server), 0, 20_000))
        await asyncio.sleep(20)
        for capacity in (8, 32):
            server.capacity = capacity
            await asyncio.sleep(15)
            before, work = (server.calls, server.refused), server.work
            await asyncio.sleep(10)
            made, refused = server.calls - before[0], server.refused - before[1]
            assert refused / made < 0.05
            assert (server.work - work) / 10 / capacity >= 0.8
        asked.cancel()
        await asyncio.wait([asked])

    run_virtual(main())


def test_refusals_that_have_nothing_to_do_with_how_much_is_in_flight_do_not_stall_the_run(run_virtual: Run) -> None:
    server = Server(10_000, luck=0.93)
    found = run_virtual(measure(server, limited(server), 200, 2_000))
    in_flight = found.used * server.capacity
    assert in_flight > 2.5
