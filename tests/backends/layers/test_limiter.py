import asyncio
import gc
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from backends.completion import Completion, RateState, TokenUsage
from backends.errors import ConfigError, RateLimitError, ServerError
from backends.layers.limiter import Limiter, LimiterLayer, LimiterPolicy, Limiters, LimiterStats
from backends.providers.function import FunctionBackend
from backends.request import Message, Request, Sampling, Text

Run = Callable[[Coroutine[Any, Any, Any]], Any]
REQUEST = Request(())
ANSWER = Completion(text="x", model="m", backend="b")


def fixed(slots: int, **bounds: Any) -> Limiter:
    return Limiter(LimiterPolicy(start=slots, ceiling=slots, **bounds))


class Server:
    """Takes a second for each answer, and remembers when each call started."""

    def __init__(self, limiter: Limiter, *outcomes: Completion | Exception) -> None:
        self.layer = LimiterLayer(FunctionBackend(self), lambda: limiter)
        self.outcomes = list(outcomes)
        self.starts: list[float] = []
        self.order: list[str | None] = []

    async def __call__(self, request: Request) -> Completion:
        self.starts.append(asyncio.get_running_loop().time())
        self.order.append(request.prefill)
        await asyncio.sleep(1)
        outcome = self.outcomes.pop(0) if self.outcomes else ANSWER
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def ask(self, name: str = "") -> asyncio.Task[Completion]:
        return asyncio.create_task(self.layer.complete(Request((), prefill=name)))


async def ended(*tasks: asyncio.Task[Completion]) -> list[Completion | BaseException]:
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_no_more_are_in_flight_than_slots_and_all_get_their_turn_in_order(run_virtual: Run) -> None:
    async def main() -> None:
        server = Server(limiter := fixed(3))
        tasks = [server.ask(str(number)) for number in range(8)]
        await asyncio.sleep(0.5)
        assert limiter.stats == LimiterStats(in_flight=3, waiting=5, limit=3, peak=3)
        await ended(*tasks)
        assert server.starts == [0, 0, 0, 1, 1, 1, 2, 2]
        assert server.order == [str(number) for number in range(8)]
        assert limiter.stats == LimiterStats(in_flight=0, waiting=0, limit=3, peak=3)

    run_virtual(main())


def test_a_newcomer_does_not_overtake_the_queue(run_virtual: Run) -> None:
    async def main() -> None:
        server = Server(fixed(1))
        tasks = [server.ask("first"), server.ask("second")]
        await asyncio.sleep(1)  # the slot is given back in this very moment
        tasks.append(server.ask("third"))
        await ended(*tasks)
        assert server.order == ["first", "second", "third"]

    run_virtual(main())


@pytest.mark.parametrize("error", [ServerError("down"), RateLimitError("slow"), KeyError("a mistake")])
def test_a_failed_call_gives_its_slot_back(run_virtual: Run, error: Exception) -> None:
    async def main() -> None:
        server = Server(limiter := fixed(1), error)
        first, second = await ended(server.ask(), server.ask())
        assert first is error
        assert second is ANSWER
        assert limiter.stats.in_flight == 0

    run_virtual(main())


def test_an_observer_that_fails_costs_no_slot(run_virtual: Run) -> None:
    class Broken:
        def on_slot(self) -> None:
            raise RuntimeError("a mistake")

        def on_attempt(self) -> None: ...

        def on_completion(self, completion: Completion) -> None: ...

    async def main() -> None:
        server = Server(limiter := fixed(1))
        with pytest.raises(RuntimeError):
            await server.layer.complete(Request((), observer=Broken()))
        assert limiter.stats.in_flight == 0

    run_virtual(main())


def test_cancelled_in_the_queue_while_working_and_in_the_moment_of_the_grant(run_virtual: Run) -> None:
    async def main() -> None:
        server = Server(limiter := fixed(1))
        working, queued, granted, last = (server.ask(name) for name in ("working", "queued", "granted", "last"))
        await asyncio.sleep(0.5)
        queued.cancel()
        working.cancel()
        await asyncio.sleep(0)  # `working` gives its slot back, `granted` has it but has not run yet
        granted.cancel()
        await ended(working, queued, granted, last)
        assert server.order == ["working", "last"]
        assert limiter.stats == LimiterStats(in_flight=0, waiting=0, limit=1, peak=1)

    run_virtual(main())


def test_no_slot_is_ever_lost_whatever_is_cancelled(run_virtual: Run) -> None:
    async def main() -> None:
        chance = random.Random(7)
        limiter = fixed(4)

        async def answer(_: Request) -> Completion:
            await asyncio.sleep(chance.random() / 100)
            if chance.random() < 0.2:
                raise RateLimitError("slow", retry_after=chance.choice([None, 0.01]))
            return ANSWER

        layer = LimiterLayer(FunctionBackend(answer), lambda: limiter)
        tasks: list[asyncio.Task[Completion]] = []
        for _ in range(2_000):
            tasks.append(asyncio.create_task(layer.complete(REQUEST)))
            if chance.random() < 0.5:
                chance.choice(tasks[-20:]).cancel()
            if chance.random() < 0.3:
                await asyncio.sleep(chance.choice([0, 0.001, 0.01]))
        await ended(*tasks)
        assert limiter.stats.in_flight == limiter.stats.waiting == 0
        assert limiter.stats.peak <= 4

    run_virtual(main())


def test_nobody_starts_before_the_server_said(run_virtual: Run) -> None:
    async def main() -> None:
        server = Server(fixed(3), RateLimitError("slow", retry_after=20.0))
        await ended(*(server.ask() for _ in range(6)))
        assert server.starts == [0, 0, 0, 21, 21, 22]

    run_virtual(main())


def test_when_the_server_stays_away_too_long_everybody_is_told_at_once(run_virtual: Run) -> None:
    async def main() -> None:
        server = Server(fixed(1), RateLimitError("slow", retry_after=3_600.0))
        outcomes = await ended(*(server.ask() for _ in range(3)))
        assert asyncio.get_running_loop().time() == 1.0
        assert [type(one) for one in outcomes] == [RateLimitError] * 3
        assert str(outcomes[1]) == "the server asks to come back in 3600 s."
        await asyncio.sleep(600)
        with pytest.raises(RateLimitError) as raised:
            await server.ask()
        assert raised.value.retry_after == pytest.approx(3_000)
        assert len(server.starts) == 1
        await asyncio.sleep(2_950)
        assert await server.ask() is ANSWER, "50 s are waited for"
        assert server.starts[-1] == pytest.approx(3_601)

    run_virtual(main())


def test_told_and_cancelled_in_the_same_moment_leaves_no_complaint(run_virtual: Run) -> None:
    async def main() -> None:
        limiter = fixed(1)
        slot = await limiter.acquire()
        waiting = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0)
        limiter.refused(slot, 3_600.0)
        waiting.cancel()
        limiter.release(slot)
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        del waiting
        gc.collect()

    run_virtual(main())


def test_calls_a_minute_are_limited_by_time_and_not_by_slots(run_virtual: Run) -> None:
    async def main() -> None:
        server = Server(limiter := fixed(10, rpm=3))
        tasks = [server.ask() for _ in range(7)]
        await asyncio.sleep(30)
        assert limiter.stats.in_flight == 0, "who waits for the clock holds no slot"
        await ended(*tasks)
        assert server.starts == [0, 0, 0, 60, 60, 60, 120]

    run_virtual(main())


def test_tokens_a_minute_are_estimated_and_then_counted(run_virtual: Run) -> None:
    async def main() -> None:
        request = Request((Message("user", (Text("x" * 300),)),), Sampling(max_tokens=868))  # about 1,000 tokens
        counted = ANSWER.model_copy(update={"usage": TokenUsage(input_tokens=90, output_tokens=10)})
        server = Server(fixed(10, tpm=2_000), *[counted] * 9)
        await asyncio.gather(*(server.layer.complete(request) for _ in range(6)))
        assert server.starts == [0, 0, 1, 2, 3, 4]

    run_virtual(main())


def test_whoever_stands_behind_a_cancelled_call_may_need_less(run_virtual: Run) -> None:
    async def main() -> None:
        limiter = fixed(10, tpm=1_000)
        limiter.release(await limiter.acquire(900))
        large, small = asyncio.create_task(limiter.acquire(500)), asyncio.create_task(limiter.acquire(50))
        await asyncio.sleep(1)
        assert limiter.stats.waiting == 2
        large.cancel()
        limiter.release(await small)
        assert asyncio.get_running_loop().time() == 1.0
        await asyncio.wait([large])

    run_virtual(main())


def test_rate_headers_slow_the_limiter_down(run_virtual: Run) -> None:
    async def main() -> None:
        few = RateState(limit_requests=100, remaining_requests=4, reset_requests=50.0)
        server = Server(fixed(1), ANSWER.model_copy(update={"rate": few}))
        await ended(*(server.ask() for _ in range(4)))
        assert server.starts == [0, 10, 20, 30]

    run_virtual(main())


def test_calls_that_started_meanwhile_are_taken_off_what_the_headers_leave(run_virtual: Run) -> None:
    async def main() -> None:
        few = RateState(limit_requests=100, remaining_requests=4, reset_requests=50.0)
        server = Server(fixed(3), ANSWER.model_copy(update={"rate": few}))
        await ended(*(server.ask() for _ in range(4)))
        # The first answer does not know of two more calls: two are left, a third of 50 s apart.
        assert server.starts == [0, 0, 0, pytest.approx(50 / 3)]

    run_virtual(main())


def test_rate_headers_of_a_refusal_say_when_to_come_back_if_nothing_else_does(run_virtual: Run) -> None:
    async def main(retry_after: float | None) -> list[float]:
        none_left = RateState(limit_requests=100, remaining_requests=0, reset_requests=12.0)
        refusal = RateLimitError("429", rate=none_left, retry_after=retry_after)
        server = Server(fixed(1), refusal)
        await ended(server.ask(), server.ask())
        return server.starts

    assert run_virtual(main(None)) == [0, pytest.approx(13)]
    # Retry-After is the server's own word; the reset is the time until the whole allowance is back.
    assert run_virtual(main(3.0)) == [0, pytest.approx(4)]


def test_headers_of_a_refusal_that_leave_much_slow_nothing_down(run_virtual: Run) -> None:
    async def main() -> None:
        plenty = RateState(limit_requests=100, remaining_requests=90, reset_requests=12.0)
        server = Server(fixed(1), RateLimitError("429", rate=plenty))
        await ended(server.ask(), server.ask())
        assert server.starts == [0, 1]

    run_virtual(main())


def test_it_grows_when_slots_are_in_use_and_shrinks_once_for_a_burst_of_refusals(run_virtual: Run) -> None:
    async def main() -> None:
        limiter = Limiter(LimiterPolicy(start=8, ceiling=64))
        server = Server(limiter)
        await ended(*(server.ask() for _ in range(4)))
        assert limiter.stats.limit == 8
        await ended(*(server.ask() for _ in range(24)))
        assert limiter.stats == LimiterStats(in_flight=0, waiting=0, limit=17, peak=16)
        server.outcomes = [RateLimitError("slow")] * 16
        await ended(*(server.ask() for _ in range(16)))
        assert limiter.stats.limit == 13

    run_virtual(main())


def test_there_is_one_limiter_for_a_model_under_an_account() -> None:
    limiters, policy = Limiters(), LimiterPolicy()
    one = limiters.of("openai:x", "account 1", policy)
    assert limiters.of("openai:x", "account 1", LimiterPolicy()) is one
    assert limiters.of("openai:x", "account 2", policy) is not one
    assert limiters.of("openai:y", "account 1", policy) is not one
    with pytest.raises(ConfigError, match="openai:x is used with two different limits"):
        limiters.of("openai:x", "account 1", LimiterPolicy(rpm=5))


def test_a_limiter_goes_by_a_name_that_people_know() -> None:
    limiters = Limiters()
    limiters.of("https://host/v1|x", "", LimiterPolicy(), "openai:x")
    with pytest.raises(ConfigError, match=r"^openai:x is used with two"):
        limiters.of("https://host/v1|x", "", LimiterPolicy(rpm=5), "openai:x")
