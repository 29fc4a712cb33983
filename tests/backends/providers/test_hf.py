from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import os
import subprocess
import sys
import threading

import pytest

from backends import registry
from backends.backend import Provider
from backends.completion import Stop
from backends.errors import AttemptTimeoutError, ConfigError, ContextLengthError, MissingExtraError, UnsupportedError
from backends.layers.limiter import LimiterPolicy
from backends.local.engine import Prospect
from backends.local.settings import LocalSettings
from backends.providers import hf
from backends.providers.hf import open_hf
from backends.registry import describe, open_backend, provider_names
from backends.settings import BackendSettings
from backends.shared import Shared
from backends.stack import LayerPolicy, Resources, build_stack
from tests.backends.local.model_folder import model_folder
from tests.backends.local.stand_in import StandIn, drawn_with, prospect, question_of


@pytest.fixture
def engines(monkeypatch):
    """The engines that were loaded, by source, in place of models of transformers."""
    loaded: dict[str, list[StandIn]] = {}

    def load(source: str) -> StandIn:
        loaded.setdefault(source, []).append(StandIn(source))
        return loaded[source][-1]

    def survey(source: str, settings: LocalSettings) -> Prospect:
        return prospect(functools.partial(load, source), source)

    monkeypatch.setattr(hf, "survey", survey)
    monkeypatch.setattr(hf, "no_chatter", lambda: None)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    return loaded


def opened(source: str = "toy", shared: Shared | None = None, **settings):
    return open_hf(source, BackendSettings.model_validate(settings), shared=shared)


async def test_an_answer_and_what_is_known_of_it(engines, request_of):
    backend = opened()
    assert isinstance(backend, Provider)
    completion = await backend.complete(request_of("what", prefill="{"))
    assert completion.text == "{toy/t=0.0 p=None s=None/what"
    assert (completion.stop, completion.model, completion.backend) == (Stop.COMPLETE, "toy", "hf:toy")
    assert completion.usage.output_tokens == 2
    assert (backend.capabilities.destination, backend.capabilities.hosted) == ("this process", False)
    assert backend.account == ""
    await backend.aclose()
    await backend.aclose()


async def test_nothing_is_loaded_before_it_is_asked(engines, request_of):
    backend = opened("Qwen/Qwen2.5-VL-3B-Instruct")
    assert backend.capabilities.box_format == "pixels"
    assert backend.capabilities.prefill
    assert engines == {}
    assert not any(thread.name.startswith("sixlens-") for thread in threading.enumerate())
    await backend.prepare()
    assert engines == {}
    await asyncio.gather(backend.complete(request_of("a")), backend.complete(request_of("b")))
    assert [len(loads) for loads in engines.values()] == [1]
    await backend.aclose()


async def test_identity_changes_with_the_model_and_with_what_the_user_says(engines):
    backends = [
        opened(),
        opened(attempt_seconds=5),
        opened(local={"max_batch": 2}),
        opened("other"),
        opened(capabilities={"json_schema": False}),
    ]
    for backend in backends:
        await backend.prepare()
        await backend.aclose()
    plain, patient, small, other, plainer = (backend.identity for backend in backends)
    assert plain == patient == small
    assert len({plain, other, plainer}) == 3
    assert "r1" in plain


async def test_two_backends_of_one_model_share_it_until_the_last_is_closed(engines, request_of):
    shared = Shared()
    first, second = opened(shared=shared), opened(shared=shared, attempt_seconds=7)
    await asyncio.gather(first.complete(request_of("a")), second.complete(request_of("b")))
    (engine,) = engines["toy"]
    assert engine.sizes == [2]
    await first.aclose()
    assert (await second.complete(request_of("c"))).text.endswith("c")
    assert engine.closed == 0
    await second.aclose()
    assert engine.closed == 1
    assert not engine.threads & {thread.name for thread in threading.enumerate()}


async def test_other_settings_or_another_owner_are_another_model(engines, request_of):
    shared = Shared()
    backends = [opened(shared=shared), opened(shared=shared, local={"max_batch": 4}), opened()]
    await asyncio.gather(*(backend.complete(request_of()) for backend in backends))
    assert len(engines["toy"]) == 3
    for backend in backends:
        await backend.aclose()


async def test_two_spellings_of_a_folder_are_one_model(engines, request_of, tmp_path, monkeypatch):
    model_folder(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    shared = Shared()
    backends = [opened(spelled, shared) for spelled in ("model", "./model", str(tmp_path / "model"))]
    await asyncio.gather(*(backend.complete(request_of()) for backend in backends))
    assert sum(len(loads) for loads in engines.values()) == 1
    for backend in backends:
        await backend.aclose()


async def test_two_models_and_two_temperatures_through_all_layers_are_never_mixed(engines, request_of):
    shared, resources = Shared(), Resources()
    providers = [opened(source, shared) for source in ("one", "two")]
    stacks = [build_stack([provider], resources) for provider in providers]
    asked = [
        (stack, provider, request_of(f"q{number}", temperature=(0.0, 0.9)[number % 2]))
        for number in range(20)
        for stack, provider in zip(stacks, providers, strict=True)
    ]
    found = await asyncio.gather(*(stack.complete(request) for stack, _, request in asked))
    expected = [f"{provider.spec[3:]}/{drawn_with(request)}/{question_of(request)}" for _, provider, request in asked]
    assert [completion.text for completion in found] == expected
    for (engine,) in engines.values():
        assert sum(engine.sizes) == 20
        assert max(engine.sizes) > 1
    for provider in providers:
        await provider.aclose()


async def test_no_more_calls_than_two_batches_are_in_flight(engines, request_of):
    resources = Resources()
    provider = opened(local={"max_batch": 3})
    stack = build_stack([provider], resources, LayerPolicy(limiter=LimiterPolicy(start=8, ceiling=64)))
    await asyncio.gather(*(stack.complete(request_of(str(number))) for number in range(40)))
    stats = resources.limiters.of(provider.spec, "", LimiterPolicy(start=8, ceiling=6)).stats
    assert (stats.peak, stats.limit) == (6, 6)
    assert set(engines["toy"][0].sizes[:-2]) == {3}
    await provider.aclose()


async def test_attempt_seconds_end_an_attempt(engines, request_of):
    backend = opened(attempt_seconds=1)
    await backend.complete(request_of())
    engines["toy"][0].seconds = 30
    with pytest.raises(AttemptTimeoutError, match=r"deadlines\.attempt"):
        await backend.complete(request_of())
    await backend.aclose()


async def test_loading_is_not_part_of_an_attempt(engines, request_of, monkeypatch):
    look = hf.survey

    def slowly(source: str, settings: LocalSettings) -> Prospect:
        found = look(source, settings)

        def load() -> StandIn:
            threading.Event().wait(1.5)
            return found.load()

        return dataclasses.replace(found, load=load)

    monkeypatch.setattr(hf, "survey", slowly)
    backend = opened(attempt_seconds=1)
    assert (await backend.complete(request_of("x"))).text.endswith("x")
    await backend.aclose()


async def test_what_the_user_says_the_model_cannot_do_is_not_asked_of_it(engines, request_of):
    backend = opened(capabilities={"json_schema": False, "logprobs": False})
    completion = await backend.complete(request_of(schema={"type": "object"}, logprobs=True))
    assert len(completion.notes) == 2
    (asked,) = engines["toy"][0].batches[0]
    assert (asked.schema, asked.logprobs) == (None, False)
    await backend.aclose()


@pytest.mark.parametrize(
    ("says", "changes", "error"),
    [
        ({"images": False}, {}, UnsupportedError),
        ({"prefill": False}, {"prefill": "{"}, UnsupportedError),
        ({"context_tokens": 100}, {"max_tokens": 99}, ContextLengthError),
    ],
)
async def test_what_cannot_be_left_out_is_refused(engines, request_of, says, changes, error):
    backend = opened(capabilities=says)
    with pytest.raises(error, match="hf:toy"):
        await backend.complete(request_of(**changes))
    assert engines == {}
    await backend.aclose()


@pytest.mark.parametrize(
    ("rest", "settings", "says"),
    [
        ("", {}, "names no model"),
        ("toy", {"extra": {"top_k": 1}}, "take it out"),
        ("./nowhere", {}, "There is no folder"),
    ],
)
def test_a_wrong_spec_is_one_line(rest, settings, says):
    with pytest.raises(ConfigError, match=says):
        opened(rest, **settings)


def test_a_revision_of_a_folder_is_refused_when_it_is_opened(tmp_path):
    folder = model_folder(tmp_path / "model")
    with pytest.raises(ConfigError, match="folders have no revisions"):
        opened(str(folder), local={"revision": "main"})


@pytest.mark.parametrize(
    "local",
    [{"dtype": "float8"}, {"device": "gpu"}, {"max_batch": 0}, {"max_batch": 257}, {"quantization": "int2"}, {"x": 1}],
)
def test_wrong_settings_are_refused(local):
    with pytest.raises(ValueError, match="local"):
        BackendSettings.model_validate({"local": local})


def test_the_extra_is_missed_when_the_backend_is_opened_and_the_backend_is_known_all_the_same(monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == "torch" else object())
    (info,) = (info for info in describe() if info.name == "hf")
    assert not info.available
    assert "hf" in provider_names()
    with pytest.raises(
        MissingExtraError, match=r"hf: backend needs an extra: pip install -c constraints.txt -e '\.\[local\]'"
    ) as caught:
        open_backend("hf:toy")
    assert "\n" not in str(caught.value)


async def test_packages_that_do_not_work_are_one_line(monkeypatch, engines):
    def broken(source: str, settings: LocalSettings) -> Prospect:
        raise ImportError("libcudart.so.12: cannot open shared object file")

    monkeypatch.setattr(hf, "survey", broken)
    backend = opened()
    with pytest.raises(ConfigError, match="packages of the extra `local` do not work here: libcudart"):
        await backend.prepare()
    await backend.aclose()


@pytest.mark.parametrize(("level", "hushed"), [(logging.WARNING, 1), (logging.DEBUG, 0)])
async def test_libraries_are_quiet_unless_asked_and_report_nothing(engines, monkeypatch, level, hushed):
    calls: list[int] = []
    monkeypatch.setattr(hf, "no_chatter", lambda: calls.append(1))
    monkeypatch.delenv("HF_HUB_DISABLE_TELEMETRY")
    backend = opened()
    assert "HF_HUB_DISABLE_TELEMETRY" not in os.environ
    before = hf.log.level
    hf.log.setLevel(level)
    try:
        await backend.prepare()
    finally:
        hf.log.setLevel(before)
    assert (len(calls), os.environ["HF_HUB_DISABLE_TELEMETRY"]) == (hushed, "1")
    await backend.aclose()


def test_opening_imports_no_torch():
    code = (
        "import sys\nfrom backends.registry import open_backend\nfrom backends.providers.hf import open_hf\n"
        "from backends.settings import BackendSettings\nopen_hf('toy', BackendSettings()).capabilities\n"
        "print([name for name in ('torch', 'transformers', 'huggingface_hub') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


async def test_a_seed_is_part_of_what_is_drawn_alike(engines, request_of):
    backend = opened()
    requests = [request_of("q", temperature=1.0, seed=7, sample=number) for number in range(2)]
    requests.append(dataclasses.replace(requests[0], schema={"type": "object"}))
    await asyncio.gather(*(backend.complete(request) for request in requests))
    assert sorted(engines["toy"][0].sizes) == [1, 2]
    await backend.aclose()


async def test_what_the_cache_goes_by_is_the_same_before_and_after_the_weights_are_loaded(checkpoint, request_of):
    backend = opened(str(checkpoint("llava")), local={"threads": 1})
    await backend.prepare()
    before = backend.identity, backend.capabilities
    completion = await backend.complete(request_of(max_tokens=2))
    assert (completion.model, completion.usage.output_tokens) == ("llava", 2)
    assert (backend.identity, backend.capabilities) == before
    await backend.aclose()
