from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable

import httpx2
import pytest

from backends.connections import Connections
from backends.errors import AttemptTimeoutError, BackendError, ConnectError, MalformedError, ServerError
from backends.providers.address import parse_address
from paradigms.label import Cause, Label, Outcome
from paradigms.scores.scorer import Scored
from paradigms.scores.scoring import Scoring
from paradigms.scores.service import ScoreService

PICTURE = Scored(b"original bytes", "ab" * 32, "/home/me/holiday.jpg")
Handler = Callable[[httpx2.Request], httpx2.Response]


def service(handler: Handler, seconds: float = 5.0) -> ScoreService:
    address = parse_address("http://127.0.0.1:9000/score")
    return ScoreService(address, seconds=seconds, connections=Connections(httpx2.MockTransport(handler)))


async def ask(handler: Handler) -> float | None:
    asked = service(handler)
    try:
        return await asked.score(PICTURE)
    finally:
        await asked.aclose()


async def test_the_original_bytes_go_out_without_their_name() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"score": 3, "model": "x"})

    assert await ask(answer) == 3.0
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "http://127.0.0.1:9000/score")
    assert request.content == b"original bytes"
    assert "holiday" not in f"{request.headers} {request.url}"


async def test_null_is_a_picture_that_it_does_not_know() -> None:
    assert await ask(lambda request: httpx2.Response(200, json={"score": None})) is None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "no",
        '{"value": 1}',
        '{"score": "1"}',
        '{"score": true}',
        '{"score": NaN}',
        '{"score": 1e999}',
        "[" * 60_000,
    ],
)
async def test_what_is_no_score_is_malformed(body: str) -> None:
    with pytest.raises(MalformedError, match=r"must answer|sent no JSON"):
        await ask(lambda request: httpx2.Response(200, text=body))


@pytest.mark.parametrize("status", [204, 302, 404, 500])
async def test_any_other_status_is_no_answer_and_redirects_are_not_followed(status: int) -> None:
    with pytest.raises(ServerError, match=f"127.0.0.1:9000 answered with status {status}"):
        await ask(lambda request: httpx2.Response(status, headers={"location": "http://example.org/"}))


async def test_a_long_answer_is_not_read_and_a_packed_one_not_unpacked() -> None:
    def answers(body: bytes, **headers: str) -> Handler:
        return lambda request: httpx2.Response(200, stream=httpx2.ByteStream(body), headers=headers)

    assert await ask(answers(b'{"score": 2}')) == 2.0
    with pytest.raises(MalformedError):
        await ask(answers(b'{"score": 1, "x": "' + b"a" * 70_000 + b'"}'))
    with pytest.raises(MalformedError):
        await ask(answers(gzip.compress(b'{"score": 1}'), **{"content-encoding": "gzip"}))


async def test_a_server_that_is_away() -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no")

    with pytest.raises(ConnectError, match="cannot be reached"):
        await ask(refuse)


async def test_a_server_that_never_ends() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    asked = ScoreService(parse_address(f"http://127.0.0.1:{port}"), seconds=0.3)
    try:
        with pytest.raises(AttemptTimeoutError, match="took too long"):
            await asked.score(PICTURE)
    finally:
        await asked.aclose()
        server.close()


class Fixed:
    def __init__(self, value: float | None) -> None:
        self.value = value

    async def score(self, picture: Scored) -> float | None:
        return self.value


async def test_a_score_is_a_report_that_does_not_vote() -> None:
    report = await Scoring("my_detector", Fixed(0.25), PICTURE).run()
    assert (report.paradigm, report.title, report.kind) == ("my_detector", "My detector", "score")
    assert (report.outcome, report.label, report.score) == (Outcome.ANSWERED, Label.UNDECIDED, 0.25)
    assert (report.has_eyes, report.vote, report.backend) == (False, None, None)


async def test_an_unknown_picture_is_skipped() -> None:
    report = await Scoring("detector", Fixed(None), PICTURE).run()
    assert (report.outcome, report.cause, report.score) == (Outcome.SKIPPED, Cause.LACKING, None)


async def test_a_failure_is_passed_on() -> None:
    asked = service(lambda request: httpx2.Response(503))
    with pytest.raises(BackendError):
        await Scoring("detector", asked, PICTURE).run()
    await asked.aclose()
