from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from backends.errors import ConnectError, NoVerdictError
from backends.providers.function import FunctionBackend
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Decided, Judge, Prepared
from paradigms.library import SIX

from .conftest import SPEC, Toy, make_judge

CASE = "invoke_workflow six"
OTHER = "function:other"


@dataclass
class Traces:
    """Where spans end up."""

    exporter: InMemorySpanExporter
    provider: TracerProvider

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def only(self, name: str) -> ReadableSpan:
        (span,) = [span for span in self.spans if span.name == name]
        return span

    @property
    def tree(self) -> Counter[tuple[str | None, str]]:
        """How often each name stands under each."""
        names = {span.context.span_id: span.name for span in self.spans if span.context}
        return Counter((names.get(span.parent.span_id) if span.parent else None, span.name) for span in self.spans)


@pytest.fixture
def traces() -> Traces:
    made = Traces(InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False))
    made.provider.add_span_processor(SimpleSpanProcessor(made.exporter))
    return made


@pytest.fixture
def for_everybody(traces: Traces, monkeypatch: pytest.MonkeyPatch) -> Traces:
    """Installed as the global provider, as a program does that traces other things."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", traces.provider)
    assert trace.get_tracer_provider() is traces.provider
    return traces


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_a_case_is_a_tree_of_examinations_and_calls(traces: Traces, picture: bytes) -> None:
    async with make_judge(Toy(), tracer_provider=traces.provider) as judge:
        verdict = await judge.judge(picture)
    chat = f"chat {SPEC.partition(':')[2]}"
    expected = Counter({(None, CASE): 1, (CASE, "prepare"): 1, ("prepare", chat): 1})
    for name in (*SIX, "panel"):
        expected[CASE, f"invoke_agent {name}"] = 1
        expected[f"invoke_agent {name}", chat] = 2 if name in ("structural", "stereotype") else 1
    assert traces.tree == expected
    case = attributes(traces.only(CASE))
    assert case.pop("sixlens.config_sha256") == verdict.config_sha256
    assert case == {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "six",
        "sixlens.ensemble": "six",
        "sixlens.verdict_id": verdict.id,
        "sixlens.label": "real",
        "sixlens.basis": "seen",
        "sixlens.votes.generated": 0,
        "sixlens.votes.real": 6,
        "sixlens.votes.undecided": 0,
        "sixlens.coverage.answered": 6,
        "sixlens.coverage.total": 6,
        "sixlens.calls": 10,
        "sixlens.cache_hits": 0,
    }
    assert attributes(traces.only("invoke_agent structural")) == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "structural",
        "sixlens.paradigm": "structural",
        "sixlens.outcome": "answered",
        "sixlens.label": "real",
    }


async def test_a_backend_that_is_asked_for_the_subject_later_is_asked_within_the_case(
    traces: Traces, picture: bytes
) -> None:
    stages = f"stages=[{[name for name in SIX if name != 'stereotype']}, [stereotype]]".replace("'", "")
    settings = ("cache=false", stages, "stop_when=[]", "fusion.strategy=tally", f"paradigms.stereotype.backend={OTHER}")
    ensemble = load_ensemble("six", Overrides(backend=SPEC, settings=settings))
    backends = {spec: FunctionBackend(Toy(), spec) for spec in (SPEC, OTHER)}
    async with Judge(ensemble, backends=backends, tracer_provider=traces.provider) as judge:
        await judge.judge(picture)
    first, later = (f"chat {spec.partition(':')[2]}" for spec in (SPEC, OTHER))
    assert traces.tree[CASE, "prepare"] == 2
    assert (traces.tree["prepare", first], traces.tree["prepare", later]) == (1, 1)
    assert sum(count for (parent, _), count in traces.tree.items() if parent is None) == 1


def _strings(span: ReadableSpan) -> Iterator[str]:
    yield span.to_json()
    yield from (str(value) for value in attributes(span).values())


async def test_no_span_holds_pictures_words_paths_or_keys(
    traces: Traces, picture: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    file = tmp_path / "name-of-the-picture.png"
    file.write_bytes(picture)
    toy = Toy({"regional": ConnectError(f"the server said ECHO about {file}")})
    async with make_judge(toy, tracer_provider=traces.provider) as judge:
        verdict = await judge.judge(str(file))
    shown = [part for request in toy.requests for part in request.pictures]
    texts = {message.text for request in toy.requests for message in request.messages} - {""}
    answers = {report.text for report in verdict.reports} | {"wheels", "red bicycle", "It looks real"}
    never = {"name-of-the-picture", str(tmp_path), "sk-very-secret", "ECHO", verdict.image.sha256, verdict.headline}
    never |= {text[:40] for text in (*texts, *answers) if text}
    for data in (picture, *(part.data for part in shown)):
        never |= {base64.b64encode(data).decode()[:24], repr(data[:16])[2:-1], data[:16].hex()}
    assert len(never) > 20
    assert len(traces.spans) > 15
    assert [
        (text, span.name) for span in traces.spans for text in never if any(text in s for s in _strings(span))
    ] == []
    failed = traces.only("invoke_agent regional")
    assert (attributes(failed)["error.type"], failed.status.status_code) == ("failed", StatusCode.ERROR)
    assert not any(span.events for span in traces.spans)


async def test_a_global_provider_alone_gets_no_span(for_everybody: Traces, picture: bytes) -> None:
    async with make_judge(Toy()) as judge:
        await judge.judge(picture)
    assert for_everybody.spans == ()
    async with make_judge(Toy(), tracer_provider=trace.get_tracer_provider()) as judge:
        await judge.judge(picture)
    assert for_everybody.tree[None, CASE] == 1


async def test_a_case_is_a_child_of_its_askers_span_and_leaves_it_current(traces: Traces, picture: bytes) -> None:
    async with make_judge(Toy(), tracer_provider=traces.provider) as judge:
        with traces.provider.get_tracer("mine").start_as_current_span("mine") as mine:
            async for _ in judge.astream(picture):
                assert trace.get_current_span() is mine
    assert traces.tree["mine", CASE] == 1


async def test_no_verdict_marks_the_case_and_a_listener_that_leaves_does_not(traces: Traces, picture: bytes) -> None:
    async with make_judge(Toy(label="real"), tracer_provider=traces.provider) as judge:
        events = judge.astream(picture)
        assert isinstance(await anext(events), Prepared)
        await events.aclose()
    left = traces.only(CASE)
    assert (left.status.status_code, "error.type" in attributes(left)) == (StatusCode.UNSET, False)
    traces.exporter.clear()
    silent = Toy({name: ConnectError("nobody there") for name in ("prepare", *SIX)})
    async with make_judge(silent, tracer_provider=traces.provider) as judge:
        with pytest.raises(NoVerdictError):
            await judge.judge(picture)
    assert attributes(traces.only(CASE))["error.type"] == "NoVerdictError"
    assert traces.only(CASE).status.description is None


async def test_variants_have_spans_of_their_own(traces: Traces, picture: bytes) -> None:
    async with make_judge(Toy(), "stability=1", tracer_provider=traces.provider) as judge:
        async for event in judge.astream(picture):
            if isinstance(event, Decided):
                verdict = event.verdict
    assert verdict.stability is not None
    variant = f"judge_variant {verdict.stability.variants[0].name}"
    assert traces.tree[CASE, variant] == 1
    assert traces.tree[variant, "invoke_agent structural"] == traces.tree[CASE, "invoke_agent structural"] == 1
    assert attributes(traces.only(variant))["sixlens.label"] == "real"
    assert attributes(traces.only(CASE))["sixlens.calls"] == verdict.usage.calls


async def test_measuring_is_no_agent(traces: Traces, picture: bytes) -> None:
    async with Judge(load_ensemble("measured"), tracer_provider=traces.provider) as judge:
        await judge.judge(picture)
    names = {span.name for span in traces.spans}
    assert "invoke_workflow measured" in names
    assert any(name.startswith("examine ") for name in names)
    assert not any(name.startswith(("invoke_agent", "chat")) for name in names)
