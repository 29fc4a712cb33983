"""Spans of OpenTelemetry that carry kinds, names of settings and numbers: no pictures, no words of prompts and answers.

Only imported where traces are asked for: it needs the extra `traces`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from backends.errors import BackendError

Attributes = Mapping[str, AttributeValue | None]
"""Attributes of a span; those that are None are left out."""


@contextmanager
def current_span(
    tracer: Tracer,
    name: str,
    attributes: Attributes,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: Context | None = None,
) -> Iterator[Span]:
    """A span around a block without `yield`; those begun inside it are its children.

    Args:
        tracer: where it is begun.
        name: what it is called.
        attributes: what is known at its beginning.
        kind: whose side of a call it is.
        parent: what it is a child of; by default the current span.
    """
    # The SDK would record an exception with its message and its traceback, which hold paths and a server's words.
    with tracer.start_as_current_span(
        name,
        context=parent,
        kind=kind,
        attributes=known(attributes),
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except BaseException as error:
            mark_failed(span, error)
            raise


def mark_failed(span: Span, error: BaseException) -> None:
    """Put on a span which kind of error ended it, without the error's words."""
    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", type(error).__name__)
    if isinstance(error, BackendError) and error.status is not None:
        span.set_attribute("http.response.status_code", error.status)


def known(attributes: Attributes) -> dict[str, AttributeValue]:
    """The attributes that have a value."""
    return {name: value for name, value in attributes.items() if value is not None}
