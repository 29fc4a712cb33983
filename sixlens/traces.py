"""Sending traces away: by OTLP over HTTP, to where the standard variables `OTEL_…` say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from backends.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


@contextmanager
def exported_traces(*, wanted: bool) -> Iterator[TracerProvider | None]:
    """What a `Judge` takes as `tracer_provider`, so that its traces are sent; None unless `wanted`.

    Spans are sent beside the work, and the last ones at the end of the block, which may take as long as
    `OTEL_EXPORTER_OTLP_TIMEOUT` (10 s) when nobody answers there. OpenTelemetry's global provider is left alone.

    Raises:
        MissingExtraError: OpenTelemetry is not installed.
        ConfigError: one of its variables is wrong.
    """
    if not wanted:
        yield None
        return
    provider = _provider()
    with ExitStack() as at_the_end:
        at_the_end.callback(provider.shutdown)
        try:
            yield provider
        except KeyboardInterrupt:
            at_the_end.pop_all()  # Nobody who pressed Ctrl-C waits for a collector.
            raise


def _provider() -> TracerProvider:
    try:
        from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from sixlens.telling_exporter import TellingExporter
    except ImportError as error:
        raise MissingExtraError("Sending traces", "traces") from error
    try:
        # Not `Resource.create`: what it finds out about a process may hold its command line, with names of files.
        resource = Resource({SERVICE_NAME: "sixlens"}).merge(OTELResourceDetector().detect())
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(TellingExporter()))
    except (ValueError, OSError) as error:
        raise ConfigError(f"OpenTelemetry refuses its settings: {error}. See the variables OTEL_….") from error
    return provider
