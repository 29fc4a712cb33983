"""Keys in the environment reach the server that they are for, and nothing that is printed, logged or kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

KEYS = {
    "OPENAI_API_KEY": "sk-proj-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "ANTHROPIC_API_KEY": "sk-ant-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    "SIXLENS_COMPATIBLE_API_KEY": "cccccccc-dddd-eeee-ffff-000000000000",
    "OLLAMA_API_KEY": "ollama-gggggggggggggggggggggggg",
}
LABELLED = {"reasoning": "subject: lamp\nmedium: photograph", "observations": [], "label": "real", "certainty": 70}


class Server(ThreadingHTTPServer):
    """A server that remembers which keys it was sent, and may quote them in its errors."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[str] = []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        self.rfile.read(int(self.headers["content-length"]))
        quoted = self.headers.get("authorization", "") + self.headers.get("x-api-key", "")
        server.seen.append(quoted)
        body: dict[str, Any] = {"error": {"message": f"denied for {quoted}", "type": "denied"}, "type": "error"}
        if server.status == 200:
            text = json.dumps(LABELLED)
            body = {"id": "c1", "object": "chat.completion", "created": 0, "model": "m", "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}]}  # fmt: skip
        data = json.dumps(body).encode()
        self.send_response(server.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("provider", "status"),
    [("compatible:m@{}/v1", 200), ("compatible:m@{}/v1", 401), ("compatible:m@{}/v1", 500), ("anthropic:m@{}", 400)],
)
def test_no_key_is_shown_or_kept(server: Server, tmp_path: Path, provider: str, status: int) -> None:
    server.status = status
    PIL.Image.linear_gradient("L").save(tmp_path / "photo.png")
    spec = provider.format(f"http://127.0.0.1:{server.server_address[1]}")
    command = [sys.executable, "-m", "sixlens", "judge", str(tmp_path / "photo.png"), "--backend", spec]
    command += ["--json", "--trace", "-v", "--set", "retry.attempts=2", "--set", "retry.max_wait=0"]
    environment = {**os.environ, **KEYS, "SIXLENS_CACHE_DIR": str(tmp_path / "cache")}
    environment["OPENAI_LOG"] = environment["ANTHROPIC_LOG"] = "debug"
    ran = subprocess.run(command, env=environment, capture_output=True, timeout=60)
    assert any(KEYS["SIXLENS_COMPATIBLE_API_KEY"] in quoted for quoted in server.seen)
    assert not any(KEYS["OPENAI_API_KEY"] in quoted or KEYS["ANTHROPIC_API_KEY"] in quoted for quoted in server.seen)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file())
    for key in KEYS.values():
        assert key.encode() not in ran.stdout + ran.stderr + kept
    # `anthropic:` reads another protocol than this server speaks, so only the other one has answers to keep.
    assert ran.returncode == (0 if status == 200 and provider.startswith("compatible") else 1)


def test_no_key_is_in_the_doctors_report(tmp_path: Path) -> None:
    environment = {**os.environ, **KEYS, "SIXLENS_CACHE_DIR": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-m", "sixlens", "doctor"], env=environment, capture_output=True, timeout=60)
    assert b"OPENAI_API_KEY" in ran.stdout
    assert not any(key.encode() in ran.stdout + ran.stderr for key in KEYS.values())


def test_no_key_is_in_a_recording() -> None:
    folder = Path(__file__).parents[1] / "backends" / "providers" / "cassettes"
    recordings = list(folder.rglob("*.yaml"))
    assert len(recordings) > 10
    for path in recordings:
        text = path.read_text("utf-8").lower()
        assert "authorization" not in text
        assert "x-api-key" not in text
        assert "base64," not in text
