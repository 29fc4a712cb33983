"""Connections to a server of their own on the loopback address. They wait for what the server does, not for time."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

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
async def served(
    app: Any = answer, *, idle: float, most: int = 100, state: ServerState | None = None, small: bool = False
) -> AsyncIterator[Callable[[], Any]]:
    """A server; yields what opens a connection to it. With `small`, the operating system holds little of an answer."""
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
    server.server_state = state or server.server_state
    await server.startup()
    listener = server.servers[0].sockets[0]
    if small:
        # What is accepted inherits it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    async def connect() -> Client:
        client = socket.socket()
        client.setblocking(False)
        if small:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await asyncio.get_running_loop().sock_connect(client, listener.getsockname())
        return await asyncio.open_connection(sock=client)

    try:
        yield connect
    finally:
        await server.shutdown()


async def some(scope: Any, receive: Any, send: Any) -> None:
    """An answer that does not fit into small buffers of the system, and is less than asyncio's limit."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"60000")]})
    await send({"type": "http.response.body", "body": bytes(60_000)})


async def taking_nothing(connect: Callable[[], Any], request: bytes) -> Any:
    """A client that asks and reads no answer."""
    client = await connect()
    client[1].transport.pause_reading()
    client[1].write(request)
    return client


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(2000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to that")


def unsent(state: ServerState, connections: int) -> bool:
    """Whether so many connections have a rest of an answer in them."""
    return sum(one.transport.get_write_buffer_size() > 0 for one in state.connections) == connections


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


CLOSING = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize(("request_", "idle"), [(GET, SHORT), (GET, LONG), (CLOSING, LONG)], ids=str)
async def test_who_leaves_the_end_of_an_answer_is_given_up(
    request_: bytes, idle: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixlens.server.connection.UNREAD_S", SHORT)
    state = ServerState()
    async with served(some, idle=idle, state=state, small=True) as connect:
        client = await taking_nothing(connect, request_)
        await until(lambda: state.total_requests == 1 and not state.connections)
        client[1].transport.resume_reading()
        assert len(await closed(client)) < 60_000


async def test_a_fault_within_an_answer_that_nobody_takes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(60_000), "more_body": True})
        begun.set()
        raise ZeroDivisionError

    monkeypatch.setattr("sixlens.server.connection.UNREAD_S", SHORT)
    state = ServerState()
    async with served(broken, idle=LONG, state=state, small=True) as connect:
        client = await taking_nothing(connect, GET)
        await begun.wait()
        await until(lambda: not state.connections)
        client[1].transport.resume_reading()
        assert len(await closed(client)) < 60_000


async def test_who_takes_the_end_slowly_gets_it_all() -> None:
    state = ServerState()
    async with served(some, idle=LONG, state=state, small=True) as connect:
        client = await taking_nothing(connect, CLOSING)
        await until(lambda: unsent(state, 1))
        client[1].transport.resume_reading()
        assert len((await closed(client)).partition(b"\r\n\r\n")[2]) == 60_000


@pytest.mark.parametrize("request_", [GET, CLOSING], ids=str)
async def test_who_has_to_make_room_is_gone_and_not_only_uncounted(request_: bytes) -> None:
    lost = 0

    class Watched(Connection):
        def connection_lost(self, exc: Exception | None) -> None:
            nonlocal lost
            lost += 1
            super().connection_lost(exc)

    state = ServerState()
    with pytest.MonkeyPatch.context() as change:
        change.setattr(f"{__name__}.Connection", Watched)
        async with served(some, idle=LONG, most=4, state=state, small=True) as connect:
            asked = []
            for number in range(1, 4):
                asked.append(await taking_nothing(connect, request_))
                await until(partial(unsent, state, number))
            # Both come before the first of those that go is told so: they make room for one each.
            late = await asyncio.gather(connect(), connect())
            await until(lambda: lost == 2)
            assert len(state.connections) == 3
            late[1][1].write(CLOSING)
            assert (await closed(late[1])).startswith(OK)
            for _, writer in (*asked, late[0]):
                writer.transport.abort()


@pytest.mark.parametrize(("allowed", "most"), [(256, 128), (1024, 512), (100, 16), (resource.RLIM_INFINITY, 512)])
def test_fewer_connections_where_few_files_may_be_open(
    allowed: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (allowed, resource.RLIM_INFINITY))
    assert most_connections() == most
