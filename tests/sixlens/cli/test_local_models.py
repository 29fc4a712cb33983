from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from rich.console import Console

from sixlens.cli.eyes import eyes_text
from sixlens.cli.local_models import Found, Server, find_servers


class Answers(BaseHTTPRequestHandler):
    """Answers by path; what is asked is remembered on the server."""

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["content-length"])))

    def answer(self, body: bytes) -> None:
        self.server.asked.append((self.command, self.path, body))  # type: ignore[attr-defined]
        answers: dict[str, Any] = self.server.answers  # type: ignore[attr-defined]
        found = answers.get(f"{self.path} {json.loads(body)['model']}" if body else self.path)
        if isinstance(found, float):
            time.sleep(found)
        data = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.send_response(404 if found is None else 200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def http() -> Iterator[Any]:
    """A server on this machine; set `answers` by path."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.answers, server.asked = {}, []  # type: ignore[attr-defined]
    # A client that gave up is what some tests are about; the server's complaint would stand in another test's output.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def ollama(http: Any) -> Server:
    return Server("Ollama", http.server_port, "/api/tags")


def chat(http: Any) -> Server:
    return Server("vLLM", http.server_port, "/v1/models")


async def test_ollama_says_which_models_see(http: Any) -> None:
    http.answers = {
        "/api/tags": {
            "models": [{"name": "llama3:8b"}, {"name": "gemma9:4b"}, {"name": "llava:7b"}, {"name": "a;b"}, 5]
        },
        "/api/show llama3:8b": {"capabilities": ["completion"]},
        "/api/show gemma9:4b": {"capabilities": ["completion", "vision"]},
    }
    (found,) = await find_servers([ollama(http)])
    assert found.specs == ("ollama:gemma9:4b", "ollama:llava:7b")
    assert found.flags[0] == "--backend ollama:gemma9:4b"
    assert {path for _, path, _ in http.asked} == {"/api/tags", "/api/show"}


@pytest.mark.parametrize(
    ("model", "sees"),
    [
        ({"id": "Qwen/Qwen2.5-VL-7B-Instruct"}, True),
        ({"id": "qwen2.5vl:7b"}, True),
        ({"id": "OpenGVLab/InternVL3-8B"}, True),
        ({"id": "google/gemma-3-12b-it"}, True),
        ({"id": "meta-llama/Llama-3.2-11B-Vision-Instruct"}, True),
        ({"id": "meta-llama/Llama-3.1-8B"}, False),
        ({"id": "evlm-revision"}, False),
        ({"id": "model.gguf", "capabilities": ["completion", "multimodal"]}, True),
        ({"id": "llava", "capabilities": ["completion"]}, False),
        ({"id": "$(touch x)-vl"}, False),
        ({"id": 5}, False),
    ],
)
async def test_other_servers_are_judged_by_what_they_say_or_by_names(
    model: dict[str, Any], sees: bool, http: Any
) -> None:
    http.answers = {"/v1/models": {"data": [model]}}
    (found,) = await find_servers([chat(http)])
    spec = f"compatible:{model['id']}@http://127.0.0.1:{http.server_port}/v1"
    assert found.specs == ((spec,) if sees else ())


@pytest.mark.parametrize("answer", [None, b"<html>", [1, 2], b"[" * 100_000, 2.0])
async def test_what_is_no_such_server_is_passed_over_quickly(answer: object, http: Any) -> None:
    http.answers = {"/v1/models": answer}
    began = time.perf_counter()
    assert await find_servers([chat(http), Server("nobody", 1, "/v1/models")]) == ()
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize("answer", [{}, {"data": 5}, {"data": [[]]}])
async def test_a_server_without_models_is_found_all_the_same(answer: object, http: Any) -> None:
    http.answers = {"/v1/models": answer}
    assert await find_servers([chat(http)]) == (Found(chat(http), ()),)


def shown(found: list[Found], image: str = "photo.jpg") -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(eyes_text(found, image))
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def test_without_a_server_examples_are_given() -> None:
    text = shown([])
    assert "sixlens judge photo.jpg --backend openai:MODEL" in text
    assert text.endswith("Nothing leaves this machine until you name a model elsewhere.\n")


def test_a_model_that_was_found_is_named_with_its_flag() -> None:
    server = Server("Ollama", 11434, "/api/tags")
    text = shown([Found(server, ("ollama:llava:7b",)), Found(Server("vLLM", 8000, "/v1/models"), ())], "my photo.jpg")
    assert "and was not used; to let it look:\n  sixlens judge 'my photo.jpg' --backend ollama:llava:7b\n" in text
    assert "vLLM answers on this machine, but lists no model that seems to see." in text
    assert "openai" not in text


def test_a_name_that_cannot_be_pasted_is_not_shown() -> None:
    assert "sixlens judge IMAGE --backend" in shown([], "a\x1b[31m.jpg")
    assert "sixlens judge IMAGE --backend" in shown([], "a" * 200)
