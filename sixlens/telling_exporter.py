"""An exporter that says when traces do not arrive. Only imported where they are sent: it needs the extra `traces`."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

log = logging.getLogger("sixlens")


class TellingExporter(OTLPSpanExporter):
    """Says once that a collector does not take the spans; they are dropped, and the work goes on."""

    _told = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans, with repeats."""
        result = super().export(spans)
        if result is not SpanExportResult.SUCCESS and not self._told:
            self._told = True
            # The address is not repeated: it may hold a token.
            log.warning(
                "Traces could not be sent. Is a collector there that takes OTLP over HTTP? "
                "OTEL_EXPORTER_OTLP_ENDPOINT says where (http://localhost:4318 by default)."
            )
        return result
