from __future__ import annotations

import asyncio
import dataclasses
import threading
import time

import pytest

from backends.errors import AttemptTimeoutError, BackendError, ConfigError, ContextLengthError, DeviceMemoryError
from backends.local import model as model_module
from backends.local.engine import OutOfMemoryError
from backends.local.model import LocalModel
from backends.local.settings import LocalSettings
from tests.backends.local.stand_in import StandIn, drawn_with, looks, prospect, question_of

LONG = 30.0


@pytest.fixture
async def local():
    """Opens models, and closes them after the test."""
    models: list[LocalModel] = []

    def make(*engines: StandIn, load_seconds: float = 0.0, survey=None, **settings) -> LocalModel:
        survey = survey or looks(*engines, seconds=load_seconds)
        models.append(LocalModel("hf:toy", LocalSettings(**settings), survey, others=lambda: models))
        return models[-1]

    yield make
    for model in models:
        await model.aclose()


async def answers(model, *requests, seconds: float = LONG):
    return await asyncio.gather(*(model.answer(request, seconds) for request in requests), return_exceptions=True)


async def test_requests_of_one_moment_become_one_batch(local, request_of):
    engine = StandIn()
    found = await answers(local(engine), *(request_of(str(number)) for number in range(6)))
    assert [written.text.rsplit("/")[-1] for written in found] == list("012345")
    assert engine.sizes == [6]


async def test_a_batch_is_no_larger_than_set(local, request_of):
    engine = StandIn()
    await answers(local(engine, max_batch=4), *(request_of(str(number)) for number in range(10)))
    assert engine.sizes == [4, 4, 2]


async def test_requests_some_milliseconds_apart_are_waited_for(local, request_of, monkeypatch):
    monkeypatch.setattr(model_module, "QUIET_S", 0.1)
    monkeypatch.setattr(model_module, "GATHER_S", LONG)
    engine = StandIn()
    model = local(engine, max_batch=3)

    async def later(number: int):
        await asyncio.sleep(number * 0.01)
        return await model.answer(request_of(str(number)), LONG)

    await asyncio.gather(*(later(number) for number in range(3)))
    assert engine.sizes == [3]


async def test_nobody_is_waited_for_without_end(local, request_of, monkeypatch):
    monkeypatch.setattr(model_module, "QUIET_S", 0.01)
    monkeypatch.setattr(model_module, "GATHER_S", 0.02)
    engine = StandIn()
    model = local(engine, max_batch=256)

    async def later(number: int):
        await asyncio.sleep(number * 0.004)
        return await model.answer(request_of(str(number)), LONG)

    await asyncio.gather(*(later(number) for number in range(50)))
    assert len(engine.sizes) > 1
    assert max(engine.sizes) < 50


async def test_two_models_and_two_temperatures_at_once_are_never_mixed(local, request_of):
    """Every answer names the engine and the sampling of the batch that it was computed in."""
    engines = [StandIn("one", seconds=0.002), StandIn("two", seconds=0.002)]
    models = [local(engine) for engine in engines]
    hot = {"temperature": 0.9, "top_p": 0.8}
    asked = [
        (model, engine, request_of(f"q{number}", **(hot if number % 2 else {}), max_tokens=1 + number % 3))
        for number in range(24)
        for model, engine in zip(models, engines, strict=True)
    ]
    found = await asyncio.gather(*(model.answer(request, LONG) for model, _, request in asked))
    expected = [f"{engine.name}/{drawn_with(request)}/{question_of(request)}" for _, engine, request in asked]
    assert [written.text for written in found] == expected
    for engine in engines:
        assert sorted(engine.sizes) == [4, 4, 8, 8]
        assert len(engine.threads) == 1
    assert not engines[0].threads & {threading.current_thread().name}


def test_a_mix_would_show_in_the_answers(request_of):
    cold, hot = StandIn().write([request_of("cold"), request_of("hot", temperature=0.9)])
    assert (cold.text, hot.text) == ("toy/t=0.0 p=None s=None/cold", "toy/t=0.0 p=None s=None/hot")


async def test_a_batch_that_does_not_fit_is_halved_and_the_size_remembered(local, request_of):
    engine = StandIn(room=3)
    model = local(engine)
    found = await answers(model, *(request_of(str(number)) for number in range(8)))
    assert [written.text[-1] for written in found] == list("01234567")
    assert engine.sizes == [8, 4, 2, 2, 2, 2]
    await answers(model, *(request_of(str(number)) for number in range(4)))
    assert engine.sizes[6:] == [2, 2]


async def test_one_request_that_does_not_fit_fails_for_good_and_says_what_to_do(local, request_of):
    engine = StandIn(room=0)
    model = local(engine, max_batch=2)
    found = await answers(model, request_of("1"), request_of("2"))
    assert [type(error) for error in found] == [DeviceMemoryError, DeviceMemoryError]
    assert all(word in str(found[0]) for word in ("image.max_edge", "dtype", "quantization"))
    assert not found[0].transient
    assert "\n" not in str(found[0])
    assert engine.sizes == [2, 1, 1]
    engine.room = 1
    assert (await model.answer(request_of("3"), LONG)).text.endswith("3")


class Device:
    """Has room for the weights of so many models at once; the others' loads fail."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.here: list[StandIn] = []
        self.loads: list[str] = []

    def model(self, name: str):
        """Looks at a model that is loaded onto this device."""
        device = self

        class OnDevice(StandIn):
            def close(self) -> None:
                super().close()
                device.here.remove(self)

        def load() -> StandIn:
            self.loads.append(name)
            if len(self.here) == self.room:
                raise OutOfMemoryError("no room")
            self.here.append(OnDevice(name))
            return self.here[-1]

        return lambda: prospect(load, name)


async def test_a_model_that_does_not_fit_says_what_to_do(local, request_of):
    device = Device(room=0)
    found = await answers(local(survey=device.model("big")), request_of("1"), request_of("2"))
    assert [type(error) for error in found] == [DeviceMemoryError, DeviceMemoryError]
    assert found[0] is not found[1]
    assert all(word in str(found[0]) for word in ("weights of hf:toy", "dtype", "quantization"))
    assert device.loads == ["big"]


async def test_an_idle_model_makes_room_for_one_that_is_needed(local, request_of):
    device = Device(room=1)
    first, second = local(survey=device.model("first")), local(survey=device.model("second"))
    for model, name in ((first, "first"), (second, "second"), (first, "first")):
        assert (await model.answer(request_of(), LONG)).text.startswith(f"{name}/")
        assert [engine.name for engine in device.here] == [name]
    assert device.loads == ["first", "second", "second", "first", "first"]


async def test_a_model_that_is_busy_is_not_released_for_another(local, request_of):
    device = Device(room=1)
    first, second = local(survey=device.model("first")), local(survey=device.model("second"))
    await first.answer(request_of(), LONG)
    device.here[0].seconds = LONG
    device.here[0].began.clear()
    task = asyncio.create_task(first.answer(request_of("long"), LONG))
    await asyncio.to_thread(device.here[0].began.wait, LONG)
    with pytest.raises(DeviceMemoryError, match="weights of hf:toy beside hf:toy; try"):
        await second.answer(request_of(), LONG)
    task.cancel()
    await asyncio.wait([task])
    assert device.loads == ["first", "second"]


async def test_a_model_that_is_asked_while_another_makes_room_is_not_released(local, request_of, monkeypatch):
    device = Device(room=2)
    first, second, third = (local(survey=device.model(name)) for name in ("first", "second", "third"))
    for model in (first, second):
        await model.answer(request_of(), LONG)
    going, gone = threading.Event(), threading.Event()
    close = device.here[0].close

    def close_slowly() -> None:
        going.set()
        gone.wait(LONG)
        close()

    device.here[0].close = close_slowly
    needed = asyncio.create_task(third.answer(request_of("needed"), LONG))
    await asyncio.to_thread(going.wait, LONG)
    # The request still waits for others of its batch when the first one is gone.
    monkeypatch.setattr(model_module, "QUIET_S", 0.2)
    asked = asyncio.create_task(second.answer(request_of("asked"), LONG))
    await asyncio.sleep(0)
    gone.set()
    assert (await asked).text.endswith("asked")
    assert (await needed).text.endswith("needed")
    assert [engine.name for engine in device.here] == ["second", "third"]


async def test_a_late_answer_whose_turn_came_is_no_matter_of_asking_again(local, request_of):
    engine = StandIn(seconds=LONG)
    model = local(engine)
    with pytest.raises(AttemptTimeoutError, match=r"still computing after 0\.3 s") as caught:
        await model.answer(request_of(), 0.3)
    assert not caught.value.transient
    await model.aclose()
    assert engine.given_up == 1


async def test_a_request_that_waited_too_long_leaves_the_queue(local, request_of):
    engine = StandIn(seconds=0.3)
    model = local(engine, max_batch=1)
    first = asyncio.create_task(model.answer(request_of("first"), LONG))
    await asyncio.to_thread(engine.began.wait, LONG)
    with pytest.raises(AttemptTimeoutError, match="other requests before it") as caught:
        await model.answer(request_of("second"), 0.02)
    assert caught.value.transient
    assert (await first).text.endswith("first")
    assert (await model.answer(request_of("third"), LONG)).text.endswith("third")
    assert engine.questions == [["first"], ["third"]]
    assert engine.given_up == 0


async def test_a_cancelled_request_leaves_the_queue_and_stops_a_batch_of_nobody_else(local, request_of):
    engine = StandIn(seconds=LONG)
    model = local(engine, max_batch=2)
    tasks = [asyncio.create_task(model.answer(request_of(str(number)), LONG)) for number in range(3)]
    await asyncio.to_thread(engine.began.wait, LONG)
    tasks[2].cancel()
    tasks[0].cancel()
    await asyncio.wait([tasks[0], tasks[2]])
    assert engine.given_up == 0
    tasks[1].cancel()
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)
    engine.seconds = 0
    assert (await model.answer(request_of("after"), LONG)).text.endswith("after")
    assert engine.questions == [["0", "1"], ["after"]]
    assert engine.given_up == 1


@pytest.mark.parametrize("error", [RuntimeError("a bug"), StopIteration(), TimeoutError(), OSError("lost")])
async def test_a_bug_reaches_whom_it_concerns_and_the_thread_lives_on(local, request_of, error):
    engine = StandIn(bad={"bad": error})
    model = local(engine)
    good, bad = await answers(model, request_of("good"), request_of("bad"))
    assert good.text.endswith("good")
    bug = bad.__cause__ if isinstance(error, StopIteration) else bad  # a future carries no StopIteration
    assert type(bug) is type(error)
    assert str(bug) == str(error)
    assert engine.questions == [["good", "bad"], ["good"], ["bad"]]
    assert (await model.answer(request_of("next"), LONG)).text.endswith("next")


async def test_one_request_beyond_the_context_fails_no_other(local, request_of):
    engine = StandIn(bad={"long": ContextLengthError("too long")})
    found = await answers(local(engine), *(request_of(name) for name in ("a", "long", "b")))
    assert [isinstance(item, ContextLengthError) for item in found] == [False, True, False]


async def test_too_few_answers_are_a_bug(local, request_of, monkeypatch):
    engine = StandIn()
    monkeypatch.setattr(engine, "write", lambda requests, wanted: [])
    with pytest.raises(RuntimeError, match="0 answers to 1"):
        await local(engine).answer(request_of(), LONG)


async def test_nothing_is_loaded_to_look_at_a_model_and_then_once(local, request_of):
    loads: list[StandIn] = []
    looked: list[int] = []

    def load() -> StandIn:
        loads.append(StandIn())
        return loads[-1]

    def survey():
        looked.append(1)
        return prospect(load)

    model = local(survey=survey)
    assert (model.prospect, model.capabilities) == (None, None)
    found = await asyncio.gather(model.look(), model.look())
    assert [one.revision for one in found] == ["r1", "r1"]
    assert model.capabilities.logprobs
    assert (looked, loads, model.loaded) == ([1], [], False)
    await answers(model, request_of("a"), request_of("b"))
    await model.look()
    assert (looked, len(loads), model.loaded) == ([1], 1, True)


@pytest.mark.parametrize(("fetches", "more"), [(False, ""), (True, "; what is not here yet is fetched first")])
async def test_loading_is_told_once_for_all_who_wait(local, request_of, caplog, fetches, more):
    model = local(survey=lambda: dataclasses.replace(prospect(StandIn), fetches=fetches))
    with caplog.at_level("INFO", logger="backends.waiting"):
        await model.look()
        assert caplog.messages == []
        await answers(model, request_of("a"), request_of("b"))
        await model.answer(request_of("c"), LONG)
    assert caplog.messages == [f"loading hf:toy{more}"]


async def test_what_shows_once_it_is_loaded_is_known_too(local, request_of):
    engine = StandIn()
    engine.capabilities = engine.capabilities.model_copy(update={"prefix_cache": False})
    model = local(engine)
    await model.look()
    assert model.capabilities.prefix_cache is None
    await model.answer(request_of(), LONG)
    assert model.capabilities.prefix_cache is False


@pytest.mark.parametrize("error", [ConfigError("damaged"), RuntimeError("a bug")])
async def test_a_load_that_failed_fails_all_who_wait_and_is_tried_again(local, request_of, error):
    outcomes: list[StandIn | Exception] = [error, StandIn()]

    def load() -> StandIn:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    model = local(survey=lambda: prospect(load))
    found = await answers(model, request_of("a"), request_of("b"))
    assert [(type(one), str(one)) for one in found] == [(type(error), str(error))] * 2
    assert (await model.answer(request_of("c"), LONG)).text.endswith("c")


async def test_a_look_that_failed_is_tried_again(local):
    outcomes = [ConfigError("no such folder"), prospect(StandIn)]

    def survey():
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    model = local(survey=survey)
    with pytest.raises(ConfigError, match="no such folder"):
        await model.look()
    assert (await model.look()).name == "toy"


async def test_who_leaves_while_the_model_is_loaded_is_not_computed_for(local, request_of):
    loads, go_on = threading.Event(), threading.Event()
    engine = StandIn()

    def load() -> StandIn:
        loads.set()
        assert go_on.wait(LONG)
        return engine

    model = local(survey=lambda: prospect(load))
    leaving, staying = (asyncio.create_task(model.answer(request_of(name), LONG)) for name in ("leaving", "staying"))
    await asyncio.to_thread(loads.wait, LONG)
    leaving.cancel()
    await asyncio.wait([leaving])
    go_on.set()
    await staying
    assert engine.questions == [["staying"]]


async def test_who_leaves_before_the_thread_begins_is_not_computed_for(local, request_of):
    """The thread is busy when the batch is handed to it: nothing is lost of what happens before it begins."""
    engine = StandIn()
    model = local(engine)
    await model.answer(request_of("first"), LONG)
    begun, go_on = threading.Event(), threading.Event()

    def busy() -> None:
        begun.set()
        assert go_on.wait(LONG)

    model._in_thread(busy)
    await asyncio.to_thread(begun.wait, LONG)
    tasks = [asyncio.create_task(model.answer(request_of(name), LONG)) for name in ("leaving", "staying")]
    for _ in range(1000):
        if model._batch:
            break
        await asyncio.sleep(0.001)
    tasks[0].cancel()
    await asyncio.wait(tasks[:1])
    go_on.set()
    assert (await tasks[1]).text.endswith("staying")
    assert engine.questions == [["first"], ["staying"]]


async def test_an_idle_model_is_released_and_loaded_again(local, request_of):
    engines = [StandIn("first"), StandIn("second")]
    model = local(*engines, idle_seconds=0.05)
    await model.answer(request_of(), LONG)
    await model.answer(request_of(), LONG)
    assert (engines[0].closed, engines[0].sizes) == (0, [1, 1])
    await asyncio.sleep(0.2)
    assert engines[0].closed == 1
    assert not model.loaded
    assert (await model.answer(request_of(), LONG)).text.startswith("second/")


async def test_loading_a_released_model_again_is_no_part_of_an_answers_time(local, request_of):
    engines = [StandIn("first"), StandIn("second")]
    model = local(*engines, idle_seconds=0.05, load_seconds=0.3)
    for name in ("first", "second"):
        assert (await model.answer(request_of(), 0.2)).text.startswith(f"{name}/")
        await asyncio.sleep(0.2)
    assert [engine.closed for engine in engines] == [1, 1]


async def test_closing_releases_the_model_and_ends_its_thread(local, request_of):
    engine = StandIn()
    model = local(engine)
    await model.answer(request_of(), LONG)
    (name,) = engine.threads
    assert name in {thread.name for thread in threading.enumerate()}
    await model.aclose()
    await model.aclose()
    assert engine.closed == 1
    assert name not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(BackendError, match="is closed"):
        await model.answer(request_of(), LONG)
    with pytest.raises(BackendError, match="is closed"):
        await model.look()


async def test_closing_stops_the_batch_under_way_and_who_waits_hears_of_it(local, request_of):
    engine = StandIn(seconds=LONG)
    model = local(engine, max_batch=1)
    tasks = [asyncio.create_task(model.answer(request_of(str(number)), LONG)) for number in range(2)]
    await asyncio.to_thread(engine.began.wait, LONG)
    began = time.monotonic()
    await model.aclose()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in found] == [BackendError, BackendError]
    assert time.monotonic() - began < LONG / 2
    assert (engine.closed, engine.sizes) == (1, [1])


@pytest.mark.parametrize("wanted", [True, False])
async def test_closing_does_not_wait_for_a_load_and_releases_what_it_loaded(request_of, wanted):
    engine = StandIn()
    begun = threading.Event()
    go_on = threading.Event()

    def load() -> StandIn:
        begun.set()
        assert go_on.wait(LONG)
        return engine

    model = LocalModel("hf:slow", LocalSettings(), lambda: prospect(load))
    task = asyncio.create_task(model.answer(request_of(), LONG))
    await asyncio.to_thread(begun.wait, LONG)
    if not wanted:
        task.cancel()
    await asyncio.wait_for(model.aclose(), 5)
    await asyncio.wait([task])
    assert task.cancelled() if not wanted else isinstance(task.exception(), BackendError)
    go_on.set()
    for _ in range(200):
        if engine.closed:
            break
        await asyncio.sleep(0.01)
    assert engine.closed == 1
