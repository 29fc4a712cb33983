import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from backends.completion import Completion, Stop, TokenUsage
from backends.connections import Connections
from backends.errors import (
    AttemptTimeoutError,
    AuthError,
    BudgetError,
    ConfigError,
    ConnectError,
    MalformedError,
    RateLimitError,
    ServerError,
)
from backends.layers.budget import Budget
from backends.layers.cache_store import CacheStore
from backends.layers.limiter import LimiterPolicy
from backends.layers.retry import RetryPolicy
from backends.providers.compatible import open_compatible
from backends.providers.function import FunctionBackend
from backends.request import Message, Request, Sampling, Text
from backends.settings import BackendSettings
from backends.stack import LayerPolicy, Resources, build_stack

QUICK = LayerPolicy(retry=RetryPolicy(attempts=10, base_s=0), limiter=LimiterPolicy(start=32))


def asking(text: str) -> Request:
    return Request((Message("user", (Text(text),)),))


def answered(text: str) -> Completion:
    return Completion(
        text=text, model="m", backend="function:test", usage=TokenUsage(input_tokens=10, output_tokens=5), seconds=0.5
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CacheStore]:
    with closing(CacheStore(tmp_path / "answers.sqlite")) as opened:
        yield opened


class Server:
    """Answers with the question; counts calls, also by question."""

    def __init__(self) -> None:
        self.calls = 0
        self.asked: Counter[str] = Counter()

    async def __call__(self, request: Request) -> Completion:
        self.calls += 1
        self.asked[request.messages[0].text] += 1
        await asyncio.sleep(0)
        return self.answer(request.messages[0].text)

    def answer(self, text: str) -> Completion:
        return answered(text)


class Unreliable(Server):
    """Three attempts of ten fail, in every way there is; some questions are refused, always."""

    def __init__(self) -> None:
        super().__init__()
        self.chance = random.Random(3)

    def answer(self, text: str) -> Completion:
        if self.chance.random() < 0.3:
            faults = (
                RateLimitError("429"),
                RateLimitError("429", retry_after=0.001),
                ServerError("500"),
                ConnectError("dropped"),
                MalformedError("half"),
                AttemptTimeoutError("20 s"),
                None,
            )
            fault = self.chance.choice(faults)
            if fault is not None:
                raise fault
            return answered("").model_copy(update={"stop": Stop.EMPTY})
        if text.endswith("7"):
            return answered("I cannot say.").model_copy(update={"stop": Stop.REFUSAL})
        return answered(text)


async def test_a_run_with_three_failing_attempts_of_ten_answers_everything_and_accounts_for_all(
    store: CacheStore,
) -> None:
    server, resources = Unreliable(), Resources(store=store)
    backend = build_stack([FunctionBackend(server)], resources, QUICK)
    questions = [f"question {number}" for number in range(200)]
    answers = await asyncio.gather(*(backend.complete(asking(text)) for text in questions))
    assert Counter(answer.stop for answer in answers) == {Stop.COMPLETE: 180, Stop.REFUSAL: 20}
    assert [answer.text for answer in answers if answer.stop is Stop.COMPLETE] == [
        text for text in questions if not text.endswith("7")
    ]
    assert server.calls > 250
    assert resources.meter.totals.attempts == resources.budget.spent.calls == server.calls
    assert sum(answer.attempts for answer in answers) == server.calls
    assert resources.meter.totals.failures == 0
    assert resources.meter.totals.calls == 200
    assert store.stats().entries == 180

    before = server.asked.copy()
    again = await asyncio.gather(*(backend.complete(asking(text)) for text in questions))
    assert sum(answer.cached for answer in again) == 180
    assert all(text.endswith("7") for text in server.asked - before), "no stored answer is asked for again"


async def test_a_budget_of_fifty_attempts_stops_at_fifty_and_keeps_what_is_done(store: CacheStore) -> None:
    server, budget = Unreliable(), Budget(calls=50)
    backend = build_stack([FunctionBackend(server)], Resources(store=store, budget=budget), QUICK)
    ended = await asyncio.gather(
        *(backend.complete(asking(str(number))) for number in range(0, 400, 2)), return_exceptions=True
    )
    done = sum(isinstance(one, Completion) for one in ended)
    assert server.calls == 50
    assert {type(one) for one in ended} == {Completion, BudgetError}
    assert store.stats().entries == done

    resumed = build_stack([FunctionBackend(server)], Resources(store=store), QUICK)
    await asyncio.gather(*(resumed.complete(asking(str(number))) for number in range(0, 400, 2)))
    assert server.asked.total() == server.calls
    assert resumed.spec == "function:test"


async def test_a_hit_needs_no_budget_no_slot_and_no_attempt(store: CacheStore) -> None:
    server = Server()
    resources = Resources(store=store, budget=Budget(calls=1))
    backend = build_stack([FunctionBackend(server)], resources, QUICK)
    await backend.complete(asking("a"))
    assert (await backend.complete(asking("a"))).cached
    assert resources.budget.spent.calls == resources.meter.totals.attempts == 1
    assert resources.meter.totals.cache_hits == 1
    with pytest.raises(BudgetError):
        await backend.complete(asking("b"))


async def test_identical_requests_of_two_stacks_in_flight_are_one_call() -> None:
    server, resources = Server(), Resources()
    stacks = [build_stack([FunctionBackend(server)], resources) for _ in range(2)]
    await asyncio.gather(*(stack.complete(asking("which subject?")) for stack in stacks))
    assert server.calls == 1


async def test_a_wait_between_attempts_holds_no_slot() -> None:
    """With one slot, somebody else is answered while the first one waits."""
    order: list[str] = []
    waiting = asyncio.Event()

    async def answer(request: Request) -> str:
        text = request.messages[0].text
        order.append(text)
        if text == "first" and len(order) == 1:
            raise ServerError("down")
        waiting.set()
        return text

    async def sleep(_: float) -> None:
        await waiting.wait()

    policy = LayerPolicy(limiter=LimiterPolicy(start=1, ceiling=1), sleep=sleep)
    backend = build_stack([FunctionBackend(answer)], Resources(), policy)
    async with asyncio.timeout(5):
        await asyncio.gather(backend.complete(asking("first")), backend.complete(asking("second")))
    assert order == ["first", "second", "first"]


async def test_a_fallback_answers_and_both_chains_are_counted(store: CacheStore) -> None:
    async def locked(_: Request) -> str:
        raise AuthError("no key")

    server, resources = Server(), Resources(store=store)
    backend = build_stack([FunctionBackend(locked, "a:x"), FunctionBackend(server, "b:y")], resources, QUICK)
    for cached in (False, True):
        completion = await backend.complete(asking("hello"))
        assert completion.notes == ("a:x did not answer (no key); b:y did",)
        assert completion.cached is cached
    assert (backend.spec, server.calls) == ("a:x", 1)
    totals = resources.meter.totals
    assert (totals.failures, totals.calls, totals.attempts) == (2, 1, 3)


async def test_what_above_wants_stored_is_what_is_stored(store: CacheStore) -> None:
    policy = LayerPolicy(storable=lambda request, completion: completion.text == "keep")
    backend = build_stack([FunctionBackend(Server())], Resources(store=store), policy)
    for text in ("keep", "drop"):
        await backend.complete(asking(text))
    assert store.stats().entries == 1


async def test_closing_closes_the_providers() -> None:
    providers = [FunctionBackend(Server(), "a:x"), FunctionBackend(Server(), "b:y")]
    await build_stack(providers, Resources()).aclose()
    assert all(provider.closed for provider in providers)


class Finding(FunctionBackend):
    """Knows its model only after asking the server, which is down at first."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.model = "?"
        self.prepared = 0

    @property
    def identity(self) -> str:
        assert self.model != "?", "the identity was read before it was found out"
        return self.model

    async def prepare(self) -> None:
        self.prepared += 1
        await asyncio.sleep(0)
        if self.prepared < 3:
            raise ConnectError("not up yet")
        self.model = "llava"


async def test_a_provider_is_prepared_once_persistently_and_before_its_identity_is_read() -> None:
    provider, resources = Finding(Server()), Resources()
    backend = build_stack([provider], resources, QUICK)
    await asyncio.gather(*(backend.complete(asking(str(number))) for number in range(20)))
    assert provider.prepared == 3
    assert resources.meter.totals.attempts == 20


async def test_a_provider_that_could_not_be_prepared_is_tried_again_later() -> None:
    provider, resources = Finding(Server()), Resources()
    policy = LayerPolicy(retry=RetryPolicy(attempts=2, base_s=0))
    backend = build_stack([provider], resources, policy)
    with pytest.raises(ConnectError, match=r"not up yet \(after 2 attempts\)"):
        await backend.complete(asking("a"))
    assert (await backend.complete(asking("a"))).text == "a"
    assert resources.meter.totals.failures == 1


class Counted(httpx2.AsyncBaseTransport):
    """A server of one model; counts how many questions it has at once."""

    def __init__(self) -> None:
        self.now = self.peak = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/models"):
            return httpx2.Response(200, json={"data": [{"id": "qwen"}]}, request=request)
        self.now += 1
        self.peak = max(self.peak, self.now)
        await asyncio.sleep(0.01)
        self.now -= 1
        choice = {"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
        return httpx2.Response(200, json={"model": "qwen", "choices": [choice]}, request=request)


SPELLINGS = ["qwen@http://127.0.0.1:8000", "qwen@http://127.0.0.1:8000/v1/", "@http://127.0.0.1:8000/v1"]


async def test_spellings_of_one_endpoint_share_a_limiter() -> None:
    server, resources = Counted(), Resources()
    shared = Connections(server)
    policy = LayerPolicy(limiter=LimiterPolicy(start=2, ceiling=2))
    providers = [open_compatible(rest, BackendSettings(), connections=shared) for rest in SPELLINGS]
    backends = [build_stack([provider], resources, policy) for provider in providers]
    asked = [backend.complete(asking(f"{place} {number}")) for place, backend in enumerate(backends) for number in "ab"]
    assert len(await asyncio.gather(*asked)) == 6
    assert server.peak == 2
    assert [provider.endpoint for provider in providers] == ["http://127.0.0.1:8000/v1|qwen"] * 3
    for backend in backends:
        await backend.aclose()


async def test_other_models_and_accounts_have_limiters_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    server, resources = Counted(), Resources()
    shared = Connections(server)
    policy = LayerPolicy(limiter=LimiterPolicy(start=1, ceiling=1))
    providers = [open_compatible(f"{model}@http://h/v1", BackendSettings(), connections=shared) for model in "ab"]
    monkeypatch.setenv("SIXLENS_COMPATIBLE_API_KEY", "another-key-0123456789")
    providers.append(open_compatible("a@http://h/v1", BackendSettings(), connections=shared))
    backends = [build_stack([provider], resources, policy) for provider in providers]
    await asyncio.gather(*(backend.complete(asking(str(place))) for place, backend in enumerate(backends)))
    assert server.peak == 3
    for backend in backends:
        await backend.aclose()


class Modest(FunctionBackend):
    """A provider that has no use for more than two calls at once."""

    most_in_flight = 2


FIVE = {"toy:m": LimiterPolicy(start=5, ceiling=5)}


@pytest.mark.parametrize(
    ("policy", "peak"),
    [
        (LayerPolicy(), 2),
        (LayerPolicy(limiters=FIVE), 2),
        (LayerPolicy(limiters=FIVE, ceilings_chosen=frozenset({"toy:other"})), 2),
        (LayerPolicy(limiters=FIVE, ceilings_chosen=frozenset({"toy:m"})), 5),
    ],
)
async def test_a_provider_is_asked_no_more_at_once_than_helps_unless_the_user_knows_better(
    policy: LayerPolicy, peak: int
) -> None:
    now = most = 0

    async def answer(_: Request) -> str:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return "yes"

    backend = build_stack([Modest(answer, "toy:m")], Resources(), policy)
    await asyncio.gather(*(backend.complete(asking(str(number))) for number in range(20)))
    assert most == peak


async def test_two_policies_for_one_endpoint_are_refused_when_the_second_is_used() -> None:
    resources, server = Resources(), Server()
    await build_stack([FunctionBackend(server)], resources, QUICK).complete(asking("a"))
    other = build_stack([FunctionBackend(server)], resources, LayerPolicy(limiter=LimiterPolicy(rpm=5)))
    with pytest.raises(ConfigError, match="function:test is used with two different limits"):
        await other.complete(asking("b"))


async def test_a_backend_that_is_no_provider_goes_by_its_spec(store: CacheStore) -> None:
    class Plain:
        spec = "plain:x"

        def __init__(self) -> None:
            self.inner = FunctionBackend(Server())
            self.capabilities = self.inner.capabilities
            self.complete = self.inner.complete
            self.aclose = self.inner.aclose

    backend = build_stack([Plain()], Resources(store=store))
    await backend.complete(asking("a"))
    assert (await backend.complete(asking("a"))).cached


async def test_everything_cancelled_leaves_nothing_behind(store: CacheStore) -> None:
    async def never(_: Request) -> Completion:
        await asyncio.sleep(1_000)
        raise AssertionError

    resources = Resources(store=store, budget=Budget(calls=100))
    backend = build_stack([FunctionBackend(never)], resources, QUICK)
    requests = [Request((), Sampling(seed=number % 40)) for number in range(80)]
    tasks = [asyncio.create_task(backend.complete(request)) for request in requests]
    await asyncio.sleep(0.02)
    assert resources.limiters.of("function:test", "", QUICK.limiter).stats.in_flight == 32
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert resources.limiters.of("function:test", "", QUICK.limiter).stats[:2] == (0, 0)
    assert resources.budget.spent.calls == resources.meter.totals.attempts == 32
    assert resources.budget.reserved.calls == 0
