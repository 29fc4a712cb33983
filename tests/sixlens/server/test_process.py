"""The server as a process of its own: signals, a kill, a crowd."""

from __future__ import annotations

import asyncio
import io
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx2 as httpx
import PIL.Image
import pytest

from tests.sixlens.server.conftest import DECIDED, UNDECIDED
from tests.sixlens.server.test_judgment_routes import HANGING, SLOW, variant

ROOT = Path(__file__).parents[3]
SLEEPY = DECIDED.replace("step: verdict", "step: verdict\n    seconds: 0.05")


class Process:
    """A running `sixlens serve`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.told = ""
        assert process.stderr is not None
        for line in process.stderr:
            self.told += line
            found = re.search(r"on (http://\S+)", line)
            if found:
                self.address = found[1]
                return
        raise AssertionError(f"it did not start: {self.told}")

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=30)

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        _, told = self.process.communicate(timeout=120)
        self.told += told
        return self.process.returncode

    @property
    def most_memory(self) -> int:
        """The most memory that it has held, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) // 1024


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    begun: list[subprocess.Popen[str]] = []

    def run(script: str, *options: str, files: int | None = None, **environment: str) -> Process:
        (tmp_path / "served.yaml").write_text(script, "utf-8")
        command = [sys.executable, "-m", "sixlens", "serve", "--port", "0", "--data-dir", str(tmp_path / "data")]
        process = subprocess.Popen(
            [*command, "--backend", f"scripted:{tmp_path / 'served.yaml'}", "--no-cache", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            preexec_fn=None if files is None else partial(resource.setrlimit, resource.RLIMIT_NOFILE, (files, files)),
        )
        begun.append(process)
        return Process(process)

    yield run
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


def post(client: httpx.Client, number: int) -> dict[str, Any]:
    answer = client.post("/v1/judgments", files={"image": ("a.png", variant(number))})
    assert answer.status_code == 202
    return dict(answer.json())


def wait_for(client: httpx.Client, judgment: str) -> dict[str, Any]:
    answer = client.get(f"/v1/judgments/{judgment}/events")
    assert "event: decided" in answer.text
    return dict(client.get(f"/v1/judgments/{judgment}").json())


@pytest.mark.slow
def test_a_kill_loses_nothing(start: Start) -> None:
    server = start(UNDECIDED, "--review-share", "0")
    with server.client() as client:
        waiting = wait_for(client, post(client, 1)["id"])
        reviews = client.get("/v1/reviews").json()
    server.stop(signal.SIGKILL)
    server = start(HANGING, "--concurrency", "1")
    with server.client() as client:
        assert client.get("/v1/reviews").json() == reviews
        interrupted = [post(client, number)["id"] for number in range(2, 5)]
    server.stop(signal.SIGKILL)
    server = start(DECIDED, "--review-share", "0")
    with server.client() as client:
        assert client.get(f"/v1/judgments/{waiting['id']}").json() == waiting
        ended = [wait_for(client, ident) for ident in interrupted]
        found = [(one["status"], one["verdict"]["label"], one["review"]["status"]) for one in ended]
        assert found == [("done", "real", "none")] * 3
        assert client.get("/v1/reviews").json() == reviews
        review = reviews["items"][0]["id"]
        assert client.get(f"/v1/reviews/{review}/picture").status_code == 200
        decided = client.post(f"/v1/reviews/{review}", json={"decision": "real", "reviewer": "A"})
        assert decided.json()["status"] == "decided"
    assert server.stop(signal.SIGTERM) == 0


@pytest.mark.slow
def test_a_signal_lets_it_finish(start: Start) -> None:
    server = start(SLOW)
    with server.client() as client:
        judgment = post(client, 1)["id"]
        with client.stream("GET", f"/v1/judgments/{judgment}/events") as stream:
            lines = stream.iter_lines()
            next(line for line in lines if "running" in line)
            server.process.send_signal(signal.SIGTERM)
            assert any(line == "event: decided" for line in lines)
    assert server.stop(signal.SIGTERM) == 0
    assert "Traceback" not in server.told
    server = start(SLOW)
    with server.client() as client:
        assert client.get(f"/v1/judgments/{judgment}").json()["status"] == "done"
    assert server.stop(signal.SIGINT) == 130


@pytest.mark.slow
def test_a_token_is_required_and_never_told(start: Start) -> None:
    token = "correct-horse-battery"
    server = start(DECIDED, "--host", "0.0.0.0", "--verbose", SIXLENS_TOKEN=token)
    with server.client() as client:
        assert client.get("/v1/judgments?reference=secret-name").status_code == 401
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/v1/judgments?reference=secret-name", headers=headers).status_code == 200
        for proxied, secure in ({"X-Forwarded-Proto": "https"}, True), ({}, False):
            answer = client.post("/v1/session", json={"token": token}, headers=proxied)
            assert ("Secure" in answer.headers["set-cookie"]) == secure
    assert server.stop(signal.SIGTERM) == 0
    assert "GET /v1/judgments 200" in server.told
    assert token not in server.told
    assert "secret-name" not in server.told


@pytest.mark.slow
async def test_two_hundred_at_once(start: Start) -> None:
    """None is lost, whoever is refused is told when to come again, and pictures do not pile up in memory."""
    server = start(SLEEPY, "--concurrency", "4", "--queue", "64", "--set", "limits.start=64")
    padding = os.urandom(2_000_000)
    before = server.most_memory
    refusals = 0

    async def sender(client: httpx.AsyncClient, number: int) -> str:
        nonlocal refusals
        while True:
            # Bytes after a PNG's end are let pass: a large file at little cost.
            answer = await client.post("/v1/judgments", files={"image": ("a.png", variant(number) + padding)})
            if answer.status_code == 202:
                return str(answer.json()["id"])
            assert answer.status_code == 429, answer.text
            refusals += 1
            await asyncio.sleep(min(1.0, int(answer.headers["retry-after"])))

    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(base_url=server.address, timeout=120, limits=limits) as client:
        ids = await asyncio.gather(*[sender(client, number) for number in range(200)])
        assert len(set(ids)) == 200
        seen: dict[str, Any] = {}
        for ident in ids:
            answer = await client.get(f"/v1/judgments/{ident}/events", timeout=120)
            assert "event: decided" in answer.text
            found = (await client.get(f"/v1/judgments/{ident}")).json()
            seen[found["image"]["sha256"]] = found["status"]
    assert list(seen.values()) == ["done"] * 200
    assert refusals > 0
    grown = server.most_memory - before
    assert grown < 400, f"{before} MiB before, {grown} more"
    assert server.stop(signal.SIGTERM) == 0


@pytest.mark.slow
def test_memory_goes_by_pixels(start: Start) -> None:
    width, height = 8000, 6000
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    server = start(DECIDED, "--concurrency", "1", "--max-pixels", str(width * height))
    with server.client() as client:
        before = server.most_memory
        for _ in range(2):
            answer = client.post("/v1/judgments", files={"image": ("a.png", buffer.getvalue())})
            assert wait_for(client, answer.json()["id"])["status"] == "done"
        grown = (server.most_memory - before) * 1024**2 / (width * height)
    assert grown < 9, f"{grown:.1f} bytes a pixel"
    assert server.stop(signal.SIGTERM) == 0


@pytest.mark.slow
def test_idle_connections_shut_nobody_out(start: Start) -> None:
    server = start(DECIDED, files=256)
    place = httpx.URL(server.address)
    with ExitStack() as held:
        for number in range(400):
            idle = held.enter_context(socket.create_connection((place.host, place.port or 0)))
            idle.sendall(b"GET / HTTP/1.1\r\n" if number % 2 else b"")
        with server.client() as client:
            judgment = post(client, 1)["id"]
            assert wait_for(client, judgment)["status"] == "done"
    assert server.stop(signal.SIGTERM) == 0
    assert len(server.told.splitlines()) < 20


@pytest.mark.slow
def test_a_second_signal_ends_it_at_once(start: Start) -> None:
    server = start(HANGING, "--grace", "600")
    with server.client() as client:
        judgment = post(client, 1)["id"]
        while client.get(f"/v1/judgments/{judgment}").json()["status"] != "running":
            time.sleep(0.05)
        server.process.send_signal(signal.SIGTERM)
        while client.get("/readyz").status_code != 503:
            time.sleep(0.05)
    began = time.monotonic()
    assert server.stop(signal.SIGTERM) == 0
    assert time.monotonic() - began < 60
    server = start(DECIDED)
    with server.client() as client:
        assert wait_for(client, judgment)["status"] == "done"
