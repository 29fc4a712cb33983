"""What the tests of the backends share: no network but this machine, no keys of the user, a peer that records."""

from __future__ import annotations

import asyncio
import hashlib
import io
import ipaddress
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from PIL import Image, ImageDraw

from backends.request import Message, Picture, Request, Sampling, Text

KEYS = ("OPENAI", "ANTHROPIC", "OLLAMA", "SIXLENS")


def _is_here(host: object) -> bool:
    if host in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection and every name that is not of this machine."""
    connect, lookup = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not _is_here(address[0]):
            raise AssertionError(f"a test reaches out to {address}")
        connect(self, address)

    def guarded_lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_here(host):
            raise AssertionError(f"a test looks up {host}")
        return lookup(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_lookup)


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the user's keys, proxies and SDK settings out of the environment."""
    for name in list(os.environ):
        if name.startswith(KEYS) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def make_picture(width: int = 40, height: int = 24) -> Picture:
    image = Image.new("RGB", (width, height), (200, 30, 30))
    ImageDraw.Draw(image).rectangle((4, 4, 12, 12), fill=(255, 255, 255))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    data = stream.getvalue()
    return Picture(data, "image/png", hashlib.sha256(data).hexdigest(), width, height)


@pytest.fixture
def picture() -> Picture:
    return make_picture()


@pytest.fixture
def request_of(picture: Picture) -> Callable[..., Request]:
    """Makes a request: a system text, the picture, a question; keywords as of `Request` or of `Sampling`."""

    def make(question: str = "Is it real?", pictures: tuple[Picture, ...] = (picture,), **changes: Any) -> Request:
        sampling = {name: changes.pop(name) for name in list(changes) if name in Sampling.__dataclass_fields__}
        messages = (Message("system", (Text("You look closely."),)), Message("user", (*pictures, Text(question))))
        return Request(messages=changes.pop("messages", messages), sampling=Sampling(**sampling), **changes)

    return make


def _response(body: Any, status: int, headers: dict[str, str] | None) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx2.Response(status, content=content, headers={"content-type": "application/json", **(headers or {})})


Answer = httpx2.Response | Exception | Callable[[httpx2.Request], Awaitable[httpx2.Response]]


@dataclass
class Peer:
    """Gives the answers it was told, in order, the last one again and again; keeps what it was asked.

    The list of models is asked for beside that: it is answered by `listed`, and kept in `lookups`.
    """

    answers: list[Answer] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)
    listed: Answer = field(default_factory=lambda: httpx2.Response(404))
    lookups: list[httpx2.Request] = field(default_factory=list)

    def say(self, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Peer:
        """Add an answer: JSON, or bytes as they are."""
        self.answers.append(_response(body, status, headers))
        return self

    def list_models(self, body: Any, status: int = 200) -> Peer:
        """Answer the question which models there are, from now on."""
        self.listed = _response(body, status, None)
        return self

    @property
    def transport(self) -> httpx2.MockTransport:
        async def answer(request: httpx2.Request) -> httpx2.Response:
            await request.aread()
            answer = self._next(request)
            if isinstance(answer, Exception):
                raise answer
            if isinstance(answer, httpx2.Response):
                return httpx2.Response(answer.status_code, content=answer.content, headers=answer.headers)
            return await answer(request)

        return httpx2.MockTransport(answer)

    def _next(self, request: httpx2.Request) -> Answer:
        if request.url.path.endswith("/models"):
            self.lookups.append(request)
            return self.listed
        self.requests.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests if request.content]


@pytest.fixture
def peer() -> Peer:
    return Peer()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def raw_server() -> Callable[[Handler], Any]:
    """Runs a function on every connection to a port of this machine; gives the port."""

    @asynccontextmanager
    async def serve(handle: Handler) -> AsyncIterator[int]:
        tasks: set[asyncio.Task[None]] = set()

        async def handle_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.current_task())
            try:
                with suppress(ConnectionError, asyncio.IncompleteReadError):
                    await handle(reader, writer)
            finally:
                writer.transport.abort()

        server = await asyncio.start_server(handle_and_close, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await server.wait_closed()

    return serve
