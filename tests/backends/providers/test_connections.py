"""Time limits, connections that break, and keys that must not show, on the chat protocol."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import traceback

import httpx2
import pytest

from backends import errors
from backends.connections import Connections
from backends.providers.anthropic import open_anthropic
from backends.providers.compatible import open_compatible
from backends.providers.failures import nobody_listens
from backends.providers.ollama import open_ollama
from backends.settings import BackendSettings

KEY = "sixlens-test-key-0123456789"
ANSWER = {"model": "m", "choices": [{"message": {"content": "A lamp."}, "finish_reason": "stop"}]}


@pytest.fixture
def open_one(peer):
    def make(**settings):
        return open_compatible(
            "qwen@http://127.0.0.1:8000", BackendSettings(**settings), connections=Connections(peer.transport)
        )

    return make


async def test_an_attempt_that_takes_too_long(peer, open_one, request_of):
    async def never(request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(60)
        raise AssertionError

    peer.answers.append(never)
    started = time.perf_counter()
    with pytest.raises(errors.AttemptTimeoutError, match=r"within 0\.05 s"):
        await open_one(attempt_seconds=0.05).complete(request_of())
    assert time.perf_counter() - started < 30


async def test_a_cancelled_call_is_cancelled(peer, open_one, request_of):
    async def never(request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(60)
        raise AssertionError

    peer.answers.append(never)
    task = asyncio.create_task(open_one().complete(request_of()))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    body = json.dumps(ANSWER if head.startswith(b"POST") else {}).encode()
    length = f"content-length: {len(body)}".encode()
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n" + length + b"\r\n\r\n" + body
    )
    await writer.drain()


async def _drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def _cut_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    body = json.dumps(ANSWER).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    writer.write(head + body[: len(body) // 2])
    await writer.drain()


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b" " * 1_000_000)
        await writer.drain()


async def _no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
    await writer.drain()


@pytest.mark.parametrize(
    ("handle", "kind"),
    [
        (_drop, errors.ConnectError),
        (_cut_off, errors.ConnectError),
        (_no_http, errors.ConnectError),
        (_drip, errors.AttemptTimeoutError),
        (_endless, errors.MalformedError),
    ],
)
async def test_real_connections_that_break(raw_server, request_of, handle, kind, monkeypatch):
    monkeypatch.setattr("backends.providers.transport.MAX_BYTES", 5_000_000)
    async with raw_server(handle) as port:
        backend = open_compatible(f"m@http://127.0.0.1:{port}", BackendSettings(attempt_seconds=0.5))
        with pytest.raises(kind) as caught:
            await backend.complete(request_of())
        await backend.aclose()
    assert caught.value.transient is True
    assert f"127.0.0.1:{port}" in str(caught.value)


async def test_nobody_listens(request_of, unused_tcp_port):
    backend = open_compatible(f"m@http://127.0.0.1:{unused_tcp_port}", BackendSettings())
    with pytest.raises(errors.ConnectError, match="Is the server running"):
        await backend.complete(request_of())
    await backend.aclose()


@pytest.mark.parametrize("opener", [open_compatible, open_ollama, open_anthropic])
async def test_a_server_here_that_nobody_started_is_not_waited_for(request_of, unused_tcp_port, opener):
    backend = opener(f"m@http://127.0.0.1:{unused_tcp_port}", BackendSettings())
    for _ in range(2):
        with pytest.raises(errors.ConnectError) as caught:
            await backend.complete(request_of())
        assert caught.value.transient is False
    await backend.aclose()


async def test_a_server_here_that_has_answered_before_may_come_back(raw_server, request_of):
    async with raw_server(_answer) as port:
        backend = open_compatible(f"m@http://127.0.0.1:{port}", BackendSettings())
        assert (await backend.complete(request_of())).text == "A lamp."
    with pytest.raises(errors.ConnectError) as caught:
        await backend.complete(request_of())
    assert caught.value.transient is True
    await backend.aclose()


async def test_a_connection_that_breaks_otherwise_may_heal(peer, open_one, request_of):
    peer.answers.append(httpx2.ConnectError("no route"))
    with pytest.raises(errors.ConnectError) as caught:
        await open_one().complete(request_of())
    assert caught.value.transient is True


def test_every_address_of_a_host_counts():
    def wrapping(*below: Exception) -> Exception:
        error = OSError("All connection attempts failed")
        error.__cause__ = ExceptionGroup("all", below) if len(below) > 1 else below[0]
        return error

    assert nobody_listens(wrapping(ConnectionRefusedError()))
    assert nobody_listens(wrapping(ConnectionRefusedError(), wrapping(ConnectionRefusedError())))
    assert not nobody_listens(wrapping(ConnectionRefusedError(), TimeoutError()))
    assert not nobody_listens(OSError())


async def test_the_key_is_in_no_message_trace_or_log(peer, open_one, request_of, monkeypatch, caplog):
    monkeypatch.setenv("SIXLENS_COMPATIBLE_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    echo = {"error": {"message": f"Incorrect API key provided: {KEY}. Header: Bearer {KEY}"}}
    for status in (200, 400, 401, 404, 429, 500):
        peer.answers.clear()
        peer.say(echo, status)
        with pytest.raises(errors.BackendError) as caught:
            await open_one().complete(request_of())
        assert KEY not in "".join(traceback.format_exception(caught.value))
        assert KEY not in repr(caught.value.__dict__)
    assert KEY not in caplog.text


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_one(open_one, monkeypatch, key):
    monkeypatch.setenv("SIXLENS_COMPATIBLE_API_KEY", key)
    with pytest.raises(errors.AuthError, match="SIXLENS_COMPATIBLE_API_KEY") as caught:
        open_one()
    assert key not in str(caught.value)
