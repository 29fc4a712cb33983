"""What a verdict without cached tokens says about it."""

from __future__ import annotations

import pytest

from backends.backend import Capabilities
from backends.completion import Completion, TokenUsage
from backends.errors import ServerError
from backends.providers.function import FunctionBackend
from backends.request import Request
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge

from .conftest import Toy

FIRST, SECOND = "first:x", "second:y"


def answering(spec: str, usage: TokenUsage, capabilities: Capabilities) -> FunctionBackend:
    toy = Toy()

    async def answer(request: Request) -> Completion:
        text = str(await toy(request))
        return Completion(text=text, model="m", backend=spec, usage=usage)

    return FunctionBackend(answer, spec, capabilities)


def down(spec: str, capabilities: Capabilities) -> FunctionBackend:
    async def answer(_: Request) -> Completion:
        raise ServerError("down", transient=False)

    return FunctionBackend(answer, spec, capabilities)


async def notes(
    picture: bytes, first: FunctionBackend, second: FunctionBackend, *settings: str, name: str = "six"
) -> tuple[str, ...]:
    always = ("cache=false", "strict=true", "retry.attempts=1", f"fallback=[{SECOND}]", *settings)
    ensemble = load_ensemble(name, Overrides(backend=FIRST, settings=always))
    async with Judge(ensemble, backends={FIRST: first, SECOND: second}) as judge:
        return (await judge.judge(picture)).usage.notes


COUNTED = TokenUsage(input_tokens=2000, output_tokens=5, cached_tokens=0)


@pytest.mark.parametrize(
    ("capabilities", "usage", "note"),
    [
        ({"prefix_cache": False}, COUNTED, "the provider has no prefix cache"),
        ({"prefix_cache_note": "its window is short"}, COUNTED, "No cached tokens: its window is short."),
        ({"prefix_cache": False, "prefix_cache_note": "switched off here"}, COUNTED, "switched off here"),
        ({"cache_min_tokens": 4096}, COUNTED, "shorter than the 4096 tokens"),
        ({"cache_min_tokens": 1024}, COUNTED, "the provider read none of them from its prefix cache"),
        ({}, TokenUsage(input_tokens=2000), "the server does not say whether"),
    ],
)
async def test_the_reason_is_that_of_the_backend_that_answered(
    picture: bytes, capabilities: dict[str, object], usage: TokenUsage, note: str
) -> None:
    silent = {"prefix_cache": None if capabilities.get("prefix_cache") is False else False}
    first = down(FIRST, Capabilities(**silent))
    second = answering(SECOND, usage, Capabilities.model_validate(capabilities))
    (found,) = await notes(picture, first, second)
    assert found.startswith("No cached tokens: ")
    assert note in found


async def test_a_fallback_that_was_not_needed_says_nothing(picture: bytes) -> None:
    first = answering(FIRST, COUNTED, Capabilities(cache_min_tokens=4096))
    (found,) = await notes(picture, first, down(SECOND, Capabilities(prefix_cache=False)))
    assert "4096" in found


async def test_a_panel_that_was_asked_once_by_itself_is_no_reason(picture: bytes) -> None:
    first = answering(FIRST, COUNTED, Capabilities(cache_min_tokens=4096))
    second = answering(SECOND, COUNTED, Capabilities(prefix_cache=False))
    (found,) = await notes(picture, first, second, f"fusion.backend={SECOND}")
    assert "4096" in found


async def test_backends_that_were_asked_once_each_could_read_nothing(picture: bytes) -> None:
    backends = [answering(spec, COUNTED, Capabilities()) for spec in (FIRST, SECOND)]
    asked = ("fusion.strategy=vote", f"fusion.backend={SECOND}")
    (found,) = await notes(picture, backends[0], backends[1], *asked, name="direct")
    assert "asked only once" in found


async def test_cached_tokens_need_no_reason(picture: bytes) -> None:
    usage = COUNTED.model_copy(update={"cached_tokens": 900})
    first = answering(FIRST, usage, Capabilities())
    assert await notes(picture, first, down(SECOND, Capabilities())) == ()
