from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv.attributes import error_attributes, http_attributes, server_attributes
from opentelemetry.trace import SpanKind, StatusCode

from backends.completion import Completion, Stop, TokenUsage
from backends.errors import AuthError, ConnectError, RateLimitError
from backends.layers.cache_store import CacheStore
from backends.layers.retry import RetryPolicy
from backends.layers.traced import asked, shown_model
from backends.providers.function import FunctionBackend
from backends.request import Message, Origin, Request, Sampling, Text
from backends.stack import LayerPolicy, Resources, build_stack

QUESTION = Request(
    (Message("user", (Text("a secret question"),)),),
    Sampling(temperature=0.5, max_tokens=77, top_p=0.9, seed=7),
    origin=Origin(case="0" * 64, paradigm="structural", step="verdict"),
)
ANSWER = Completion(
    text="a secret answer",
    stop=Stop.LENGTH,
    model="served-1",
    backend="some:one",
    usage=TokenUsage(input_tokens=10, output_tokens=3, cached_tokens=4),
)


class Served(FunctionBackend):
    """A backend that is asked over HTTP, as its endpoint says."""

    endpoint = "https://models.example:8443/v1|org/one"


@dataclasses.dataclass
class Traces:
    """Where spans end up."""

    exporter: InMemorySpanExporter
    provider: TracerProvider

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()


@pytest.fixture
def traces() -> Traces:
    made = Traces(InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False))
    made.provider.add_span_processor(SimpleSpanProcessor(made.exporter))
    return made


async def no_wait(seconds: float) -> None:
    pass


POLICY = LayerPolicy(retry=RetryPolicy(attempts=3), sleep=no_wait)


async def test_an_attempt_is_a_chat_span_of_the_conventions(traces: Traces) -> None:
    async def answer(_: Request) -> Completion:
        return ANSWER

    resources = Resources(tracer=traces.provider.get_tracer("test"))
    await build_stack([Served(answer, "some:one")], resources, POLICY).complete(QUESTION)
    (span,) = traces.spans
    assert (span.name, span.kind, span.status.status_code) == ("chat org/one", SpanKind.CLIENT, StatusCode.UNSET)
    assert dict(span.attributes or {}) == {
        gen_ai_attributes.GEN_AI_OPERATION_NAME: "chat",
        gen_ai_attributes.GEN_AI_PROVIDER_NAME: "some",
        gen_ai_attributes.GEN_AI_REQUEST_MODEL: "org/one",
        gen_ai_attributes.GEN_AI_REQUEST_TEMPERATURE: 0.5,
        gen_ai_attributes.GEN_AI_REQUEST_MAX_TOKENS: 77,
        gen_ai_attributes.GEN_AI_REQUEST_TOP_P: 0.9,
        gen_ai_attributes.GEN_AI_REQUEST_SEED: 7,
        gen_ai_attributes.GEN_AI_OUTPUT_TYPE: "text",
        gen_ai_attributes.GEN_AI_RESPONSE_MODEL: "served-1",
        gen_ai_attributes.GEN_AI_RESPONSE_FINISH_REASONS: ("length",),
        gen_ai_attributes.GEN_AI_USAGE_INPUT_TOKENS: 10,
        gen_ai_attributes.GEN_AI_USAGE_OUTPUT_TOKENS: 3,
        gen_ai_attributes.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: 4,
        server_attributes.SERVER_ADDRESS: "models.example",
        server_attributes.SERVER_PORT: 8443,
        "sixlens.paradigm": "structural",
        "sixlens.step": "verdict",
        "sixlens.pictures": 0,
    }


async def test_every_attempt_has_its_span_and_an_error_leaves_its_kind_but_no_words(traces: Traces) -> None:
    errors = [RateLimitError("secret 1", status=429, retry_after=0), ConnectError("secret 2"), AuthError("secret 3")]

    async def fail(_: Request) -> Completion:
        raise errors.pop(0)

    resources = Resources(tracer=traces.provider.get_tracer("test"))
    with pytest.raises(AuthError):
        await build_stack([Served(fail, "some:one")], resources, POLICY).complete(QUESTION)
    attributes = [dict(span.attributes or {}) for span in traces.spans]
    assert [a[error_attributes.ERROR_TYPE] for a in attributes] == ["RateLimitError", "ConnectError", "AuthError"]
    assert [a.get(http_attributes.HTTP_RESPONSE_STATUS_CODE) for a in attributes] == [429, None, None]
    assert {span.status.status_code for span in traces.spans} == {StatusCode.ERROR}
    assert all("secret" not in span.to_json() for span in traces.spans)
    assert not any(span.events or span.status.description for span in traces.spans)


async def test_an_answer_out_of_the_cache_is_a_span_without_server_and_tokens(traces: Traces, tmp_path: Path) -> None:
    async def answer(_: Request) -> Completion:
        return ANSWER.model_copy(update={"stop": Stop.COMPLETE})

    resources = Resources(store=CacheStore(tmp_path / "answers.sqlite"), tracer=traces.provider.get_tracer("test"))
    backend = build_stack([Served(answer, "some:one")], resources, POLICY)
    await backend.complete(QUESTION)
    await backend.complete(QUESTION)
    assert resources.store is not None
    resources.store.close()
    called, hit = (dict(span.attributes or {}) for span in traces.spans)
    assert "sixlens.cached" not in called
    assert hit["sixlens.cached"] is True
    assert traces.spans[1].kind is SpanKind.INTERNAL
    assert hit[gen_ai_attributes.GEN_AI_REQUEST_MODEL] == "org/one"
    assert not [name for name in hit if name.startswith(("server.", "gen_ai.usage."))]


def test_without_a_tracer_nothing_is_wrapped() -> None:
    async def answer(_: Request) -> Completion:
        return ANSWER

    def layers(backend: object) -> list[str]:
        inner = getattr(backend, "_inner", None)
        return [type(backend).__name__, *(layers(inner) if inner is not None else [])]

    assert [name for name in layers(build_stack([FunctionBackend(answer)], Resources())) if "Traced" in name] == []


def test_a_path_is_shown_without_its_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("somebody/qwen").mkdir(parents=True)
    given = ("gpt-x", "org/name", str(tmp_path / "a" / "qwen"), "somebody/qwen", "~/qwen", "./m/qwen", r"C:\me\qwen")
    assert [shown_model(one) for one in given] == ["gpt-x", "org/name", "qwen", "qwen", "qwen", "qwen", "qwen"]


async def test_a_provider_without_an_address_has_no_server() -> None:
    async def answer(_: Request) -> Completion:
        return ANSWER

    assert asked(FunctionBackend(answer, "hf:org/name")) == ("org/name", {})
    plain = Served(answer, "some:one")
    plain.endpoint = "http://127.0.0.1/v1|one"
    assert asked(plain) == ("one", {"server.address": "127.0.0.1", "server.port": 80})
