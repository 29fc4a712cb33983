import asyncio
import dataclasses
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backends.completion import Completion, RateState, Stop
from backends.errors import ServerError
from backends.layers.cache import CacheLayer, complete_and_not_empty
from backends.layers.cache_store import CacheStore
from backends.layers.flight import SingleFlight
from backends.providers.function import FunctionBackend
from backends.request import Message, Origin, Request, Sampling, Text

REQUEST = Request((Message("user", (Text("Look."),)),))
ANSWER = Completion(text="x", model="m", backend="b", cost=0.5, seconds=2.0, attempts=3)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CacheStore]:
    with closing(CacheStore(tmp_path / "answers.sqlite")) as opened:
        yield opened


class Asked:
    """Counts the calls, and answers as told."""

    def __init__(self, answer: Completion = ANSWER) -> None:
        self.answer = answer
        self.calls = 0

    async def __call__(self, request: Request) -> Completion:
        self.calls += 1
        await asyncio.sleep(0)
        return self.answer

    def cached(self, store: CacheStore | None, identity: str = "m") -> CacheLayer:
        async def name() -> str:
            return identity

        return CacheLayer(FunctionBackend(self), name, SingleFlight(), store)


async def test_a_stored_answer_is_not_asked_for_again(store: CacheStore) -> None:
    asked = Asked(ANSWER.model_copy(update={"rate": RateState(remaining_requests=1)}))
    layer = asked.cached(store)
    first, second = await layer.complete(REQUEST), await layer.complete(REQUEST)
    assert asked.calls == 1
    assert (first.cached, first.attempts) == (False, 3)
    assert second == ANSWER.model_copy(update={"cached": True, "attempts": 0})


async def test_another_origin_is_the_same_question_and_another_sample_is_not(store: CacheStore) -> None:
    asked = Asked()
    layer = asked.cached(store)
    await layer.complete(REQUEST)
    assert (await layer.complete(dataclasses.replace(REQUEST, origin=Origin("case", "p6")))).cached
    assert not (await layer.complete(dataclasses.replace(REQUEST, sampling=Sampling(sample=1)))).cached


async def test_another_model_has_answers_of_its_own(store: CacheStore) -> None:
    asked = Asked()
    await asked.cached(store, "model a").complete(REQUEST)
    assert not (await asked.cached(store, "model b").complete(REQUEST)).cached


@pytest.mark.parametrize(
    "change",
    [
        {"stop": Stop.LENGTH},
        {"stop": Stop.REFUSAL},
        {"stop": Stop.FILTER},
        {"stop": Stop.EMPTY, "text": ""},
        {"text": " \n"},
    ],
)
async def test_what_is_no_whole_answer_is_never_stored(store: CacheStore, change: dict[str, object]) -> None:
    asked = Asked(ANSWER.model_copy(update=change))
    layer = asked.cached(store)
    for _ in range(2):
        assert not (await layer.complete(REQUEST)).cached
    assert asked.calls == 2
    assert store.stats().entries == 0


async def test_what_is_stored_is_decided_from_above(store: CacheStore) -> None:
    async def name() -> str:
        return "m"

    def readable(request: Request, completion: Completion) -> bool:
        return complete_and_not_empty(request, completion) and completion.text != "gibberish"

    asked = Asked(ANSWER.model_copy(update={"text": "gibberish"}))
    layer = CacheLayer(FunctionBackend(asked), name, SingleFlight(), store, readable)
    await layer.complete(REQUEST)
    assert not (await layer.complete(REQUEST)).cached


async def test_an_error_is_not_stored(store: CacheStore) -> None:
    class Failing(Asked):
        async def __call__(self, request: Request) -> Completion:
            await super().__call__(request)
            raise ServerError("down")

    asked = Failing()
    layer = asked.cached(store)
    for _ in range(2):
        with pytest.raises(ServerError):
            await layer.complete(REQUEST)
    assert asked.calls == 2


@pytest.mark.parametrize("kept", [True, False])
async def test_identical_requests_in_flight_are_one_call_with_and_without_a_store(
    store: CacheStore, kept: bool
) -> None:
    rate = RateState(remaining_requests=1)
    asked = Asked(ANSWER.model_copy(update={"rate": rate}))
    layer = asked.cached(store if kept else None)
    answers = await asyncio.gather(*(layer.complete(REQUEST) for _ in range(5)))
    assert asked.calls == 1
    assert [(answer.cached, answer.attempts) for answer in answers] == [(False, 3)] + [(True, 0)] * 4
    assert [answer.rate for answer in answers] == [rate] + [None] * 4


async def test_no_answer_is_asked_twice_while_it_is_being_written(store: CacheStore) -> None:
    asked = Asked()
    layer = asked.cached(store)
    for number in range(200):
        request = dataclasses.replace(REQUEST, sampling=Sampling(seed=number))
        await layer.complete(request)
        assert (await layer.complete(request)).cached
    assert asked.calls == 200


async def test_a_broken_store_costs_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"no database" * 999)
    with closing(CacheStore(path)) as store:
        asked = Asked()
        layer = asked.cached(store)
        assert [(await layer.complete(REQUEST)).text for _ in range(2)] == ["x", "x"]
        assert asked.calls == 2
