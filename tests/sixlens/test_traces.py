from __future__ import annotations

import base64
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from backends.errors import ConfigError, MissingExtraError
from sixlens.traces import exported_traces


class Collector(HTTPServer):
    """Takes spans on this machine and keeps the bodies."""

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.bodies: list[bytes] = []

    @property
    def requests(self) -> list[ExportTraceServiceRequest]:
        return [ExportTraceServiceRequest.FromString(body) for body in self.bodies]

    @property
    def names(self) -> list[str]:
        scopes = [scope for one in self.requests for each in one.resource_spans for scope in each.scope_spans]
        return [span.name for scope in scopes for span in scope.spans]


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server
        server.shutdown()
        thread.join()


def test_the_command_line_sends_traces_when_asked(
    cli: Any, photo: Path, script: str, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = ("judge", str(photo), "--backend", script, "--no-cache")
    assert cli(*judged).code == 0
    assert cli(*judged, "--traces", "--dry-run").code == 0
    assert collector.bodies == []
    assert cli(*judged, "--traces").code == 0
    assert collector.names.count("invoke_workflow six") == 1
    monkeypatch.setenv("SIXLENS_TRACES", "1")
    assert cli(*judged).code == 0
    assert collector.names.count("invoke_workflow six") == 2
    body = b"".join(collector.bodies)
    told = (photo.name, str(photo.parent), "The blur grows", "small boat")
    assert [text for text in told if text.encode() in body] == []
    assert photo.read_bytes()[:40] not in body
    assert base64.b64encode(photo.read_bytes())[:40] not in body


def test_the_resource_is_the_service_alone(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=desk")
    for name in ("", "newsroom"):
        monkeypatch.setenv("OTEL_SERVICE_NAME", name)
        with exported_traces(wanted=True) as provider:
            assert provider is not None
            assert trace.get_tracer_provider() is not provider
            provider.get_tracer("test").start_span("one").end()
    found = [
        {a.key: a.value.string_value for a in one.resource_spans[0].resource.attributes} for one in collector.requests
    ]
    assert found == [{"service.name": name, "deployment.environment.name": "desk"} for name in ("sixlens", "newsroom")]


def test_traces_that_nobody_takes_are_said_once_and_cost_no_verdict(
    cli: Any, photo: Path, collector: Collector
) -> None:
    collector.status = 400
    ran = cli("judge", str(photo), "--ensemble", "measured", "--traces")
    assert ran.code == 0
    assert ran.out
    assert ran.err.count("Traces could not be sent") == 1
    assert len(ran.err.splitlines()) == 1
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in ran.err


def _work(error: BaseException) -> None:
    """One span, and then an error."""
    with exported_traces(wanted=True) as provider:
        assert provider is not None
        provider.get_tracer("test").start_span(type(error).__name__).end()
        raise error


def test_the_last_spans_are_sent_after_an_error_but_not_after_ctrl_c(collector: Collector) -> None:
    for error in (ConfigError("no"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            _work(error)
    assert collector.names == ["ConfigError"]


def test_a_missing_extra_is_one_line(cli: Any, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(MissingExtraError), exported_traces(wanted=True):
        pass
    with exported_traces(wanted=False) as provider:
        assert provider is None
    ran = cli("judge", str(photo), "--traces")
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.splitlines() == [
        "sixlens: Sending traces needs an extra: pip install -c constraints.txt -e '.[traces]' in the clone of sixlens"
    ]


def test_settings_that_cannot_be_used_are_one_line(cli: Any, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "1")
    ran = cli("judge", str(photo), "--traces")
    assert (ran.code, ran.out) == (4, "")
    assert "OpenTelemetry refuses its settings" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_without_the_extra_everything_else_works(photo: Path) -> None:
    code = "import sys; sys.modules['opentelemetry'] = None; import sixlens; print(sixlens.judge(sys.argv[1]).label)"
    ran = subprocess.run([sys.executable, "-c", code, str(photo)], capture_output=True, text=True, check=False)
    assert (ran.stdout.strip(), ran.stderr) == ("undecided", "")
