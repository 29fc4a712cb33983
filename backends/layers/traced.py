"""Traces of calls, in OpenTelemetry's conventions for generative AI: who was asked and what it took, not what was said.

Only imported where traces are asked for: it needs the extra `traces`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from types import MappingProxyType
from urllib.parse import urlsplit

from opentelemetry.trace import Span, SpanKind, Tracer

from backends.backend import Backend
from backends.completion import Completion, Stop
from backends.layers.layer import Layer
from backends.request import Request
from backends.spans import Attributes, current_span, known

_PORTS: Mapping[str, int] = MappingProxyType({"http": 80, "https": 443})
_FINISH: Mapping[Stop, str] = MappingProxyType({Stop.COMPLETE: "stop", Stop.FILTER: "content_filter"})
"""As most providers call it; the others keep our word."""


class TracedAttempts(Layer):
    """Around a provider: one span `chat MODEL` for each attempt that goes out, waiting for a slot not included."""

    def __init__(self, inner: Backend, tracer: Tracer) -> None:
        super().__init__(inner)
        self._tracer = tracer

    async def complete(self, request: Request) -> Completion:
        """Ask the provider inside a span. Raises as the provider does."""
        model, server = asked(self._inner)
        attributes = {**_question(self.spec, model, request), **server}
        with current_span(self._tracer, _name(model), attributes, kind=SpanKind.CLIENT) as span:
            completion = await self._inner.complete(request)
            span.set_attributes(known(_answer(completion)))
            return completion


class TracedHits(Layer):
    """Around the cache: a span for each answer that took no call, without a server and without tokens."""

    def __init__(self, inner: Backend, tracer: Tracer, provider: Backend) -> None:
        super().__init__(inner)
        self._tracer = tracer
        self._provider = provider

    async def complete(self, request: Request) -> Completion:
        """Ask the backend inside. Raises as it does."""
        completion = await self._inner.complete(request)
        if completion.cached:
            model, _ = asked(self._provider)
            attributes = {**_question(self.spec, model, request), "sixlens.cached": True}
            span: Span = self._tracer.start_span(_name(model), attributes=known(attributes))
            span.end()
        return completion


def asked(provider: Backend) -> tuple[str, Attributes]:
    """The model that a provider asks, without the folders of a path, and the server's address, if there is one."""
    endpoint = str(getattr(provider, "endpoint", ""))
    if not endpoint.startswith(("http://", "https://")):
        return shown_model(provider.spec.partition(":")[2] or provider.spec), {}
    url, _, model = endpoint.partition("|")
    parts = urlsplit(url)
    server = {"server.address": parts.hostname, "server.port": parts.port or _PORTS[parts.scheme]}
    return shown_model(model), server


def shown_model(model: str) -> str:
    """A model's name; of a path on a disk only its last part, since the others may name a person or a project."""
    pure = PureWindowsPath(model) if "\\" in model else PurePosixPath(model)
    # Slashes alone make no path (ORGANIZATION/NAME), unless there is such a folder here.
    return pure.name if pure.anchor or model.startswith((".", "~")) or os.path.lexists(model) else model


def _name(model: str) -> str:
    return f"chat {model}" if model else "chat"


def _question(spec: str, model: str, request: Request) -> Attributes:
    sampling, origin = request.sampling, request.origin
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": spec.partition(":")[0],
        "gen_ai.request.model": model or None,
        "gen_ai.request.temperature": sampling.temperature,
        "gen_ai.request.max_tokens": sampling.max_tokens,
        "gen_ai.request.top_p": sampling.top_p,
        "gen_ai.request.seed": sampling.seed,
        "gen_ai.output.type": "text" if request.schema is None else "json",
        "sixlens.paradigm": origin.paradigm or None,
        "sixlens.step": origin.step or None,
        "sixlens.pictures": len(request.pictures),
    }


def _answer(completion: Completion) -> Attributes:
    usage = completion.usage
    return {
        "gen_ai.response.model": shown_model(completion.model),
        "gen_ai.response.finish_reasons": (_FINISH.get(completion.stop, completion.stop.value),),
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_written_tokens,
    }
