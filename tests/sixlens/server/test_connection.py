"""Connections to a server of their own on the loopback address. They wait for what the server does, not for time."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import uvicorn

from sixlens.server.connection import Connection, most_connections

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK"
SHORT, LONG = 0.05, 600
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Served = Callable[..., AbstractAsyncContextManager[Callable[[], Any]]]


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def served(app: Any = answer, *, idle: float, most: int = 100) -> AsyncIterator[Callable[[], Any]]:
    """A server; yields what opens a connection to it."""
    config = uvicorn.Config(
        app,
        port=0,
        http=Connection,
        lifespan="off",
        log_config=None,
        timeout_keep_alive=idle,  # type: ignore[arg-type]
        limit_concurrency=most,
        timeout_graceful_shutdown=0,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield lambda: asyncio.open_connection("127.0.0.1", port)
    finally:
        await server.shutdown()


async def closed(client: Client) -> bytes:
    """Everything that came before the server closed the connection."""
    reader, writer = client
    try:
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_a_connection_without_a_request_is_let_go() -> None:
    async with served(idle=SHORT) as connect:
        silent, half, asked = [await connect() for _ in range(3)]
        half[1].write(GET[:20])
        asked[1].write(GET)
        assert await closed(silent) == b""
        assert await closed(half) == b""
        assert (await closed(asked)).startswith(OK)


async def test_a_head_that_trickles_in_buys_no_time() -> None:
    async with served(idle=SHORT) as connect:
        reader, writer = await connect()
        writer.write(GET[:-2])
        over = asyncio.create_task(reader.read())
        async with asyncio.timeout(20):
            while not over.done():
                writer.write(b"A: b\r\n")
                await asyncio.sleep(SHORT / 10)
        assert over.exception() is not None or over.result() == b""
        writer.close()


async def test_who_waits_for_an_answer_is_not_let_go() -> None:
    async def late(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(4 * SHORT)
        await answer(scope, receive, send)

    async with served(late, idle=SHORT) as connect:
        client = await connect()
        client[1].write(GET + GET)  # the second one lies there when the first is answered
        assert (await closed(client)).count(OK) == 2


async def test_where_there_is_no_room_the_longest_wait_ends() -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def busy(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await may_end.wait()
        await answer(scope, receive, send)

    async with served(busy, idle=LONG, most=4) as connect:
        asking = await connect()
        asking[1].write(GET)
        await begun.wait()
        idle = [await connect() for _ in range(8)]
        for client in idle[:-2]:
            assert await closed(client) == b""
        for client in (asking, *idle[-2:]):
            client[1].write(GET if client is not asking else b"")
        may_end.set()
        for reader, writer in (asking, *idle[-2:]):
            assert (await reader.readline()).startswith(OK)
            writer.close()


async def test_who_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sixlens.server.connection.UNREAD_S", SHORT)
    over = asyncio.Event()

    async def much(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
        over.set()

    async with served(much, idle=LONG) as connect:
        _, writer = await connect()
        writer.transport.pause_reading()
        writer.write(GET)
        async with asyncio.timeout(20):
            await over.wait()
        writer.transport.abort()


@pytest.mark.parametrize(("allowed", "most"), [(256, 128), (1024, 512), (100, 16), (resource.RLIM_INFINITY, 512)])
def test_fewer_connections_where_few_files_may_be_open(
    allowed: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (allowed, resource.RLIM_INFINITY))
    assert most_connections() == most
