from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from sixlens.server.body import Body
from tests.sixlens.server.conftest import Serve

SENT = Headers({"Content-Length": "9"})
GONE = {"type": "http.disconnect"}


def part(data: bytes, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


def body(messages: Iterable[dict[str, Any]], headers: Headers = SENT, seconds: float = 60) -> Body:
    """What a client sends; after the last message it stands still."""
    coming = iter(messages)

    async def receive() -> Any:
        message = next(coming, None)
        return message if message is not None else await asyncio.Event().wait()

    return Body(receive, headers, seconds)


@pytest.mark.parametrize(
    ("headers", "unread"),
    [
        ({}, False),
        ({"Content-Length": "0"}, False),
        ({"Content-Length": "9"}, True),
        ({"Transfer-Encoding": "x"}, True),
    ],
)
def test_whether_there_is_one_the_head_says(headers: dict[str, str], unread: bool) -> None:
    assert body([], Headers(headers)).unread is unread


async def test_a_body_that_stands_still_or_comes_too_slowly_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HTTPException) as slow:
        await body([], seconds=0.01).receive()
    monkeypatch.setattr("sixlens.server.body.IDLE_S", 0.01)
    still = body([part(b"a", True)])
    await still.receive()
    with pytest.raises(HTTPException) as idle:
        await still.receive()
    assert (slow.value.status_code, idle.value.status_code) == (408, 408)


async def test_when_it_was_read_an_answer_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sixlens.server.body.IDLE_S", 0.01)
    read = body([part(b"a", True), part(b"", False)], seconds=0.01)
    assert [(await read.receive())["body"] for _ in range(2)] == [b"a", b""]
    assert not read.unread
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(read.receive(), 0.1)  # not a 408: it waits for the client to go


async def test_what_is_left_is_forgotten_within_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sixlens.server.body.IDLE_S", 0.01)
    whole = body([part(bytes(4), True), part(bytes(4), True), part(b"", False)])
    await whole.drain(100)
    assert not whole.unread
    long = body(iter(lambda: part(bytes(4), True), None))
    await long.drain(10)
    assert long.unread
    for rest in ([], [GONE]):
        stuck = body([part(bytes(4), True), *rest])
        stuck.answered = True
        await stuck.drain(100)


@pytest.mark.parametrize("address", ["/v1/session", "/v1/reviews/x", "/v1/judgments", "/v1/judgments/x/appeal"])
async def test_no_route_waits_for_a_body_that_stands_still(
    serve: Serve, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixlens.server.body.IDLE_S", 0.01)

    async def stuck() -> Any:
        yield b"{"
        await asyncio.Event().wait()

    async with serve(None) as server:
        headers = {"Content-Type": "application/json", "Content-Length": "40"}
        answer = await server.client.post(address, content=stuck(), headers=headers)
        expected = (404, "not_found") if address.endswith("appeal") else (408, "too_slow")
        assert (answer.status_code, answer.json()["error"]["kind"]) == expected
        assert answer.headers["connection"] == "close"
