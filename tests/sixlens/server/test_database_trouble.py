"""A database that is wrong in a way that does not pass by itself: a mistake in the program, or damage."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from tests.sixlens.server.conftest import DECIDED, SILENT, Serve
from tests.sixlens.server.test_judgment_routes import finished
from tests.sixlens.server.test_queue import events, failing, free, post, trouble

MISTAKE = (sqlite3.SQLITE_ERROR, "no such table: nowhere")
DAMAGE = (sqlite3.SQLITE_CORRUPT, "database disk image is malformed")


@pytest.mark.parametrize(("what", "kind"), [(MISTAKE, "program"), (DAMAGE, "configuration")])
async def test_what_does_not_pass_is_not_tried_again(
    serve: Serve, what: tuple[int, str], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(concurrency=1) as server:
        failing(monkeypatch, "finish", 1, what)
        judgment = await finished(server, (await post(server, 1)).json()["id"])
        assert (judgment["status"], judgment["error"]["kind"]) == ("failed", kind)
        assert (await finished(server, (await post(server, 2)).json()["id"]))["status"] == "done"


@pytest.mark.parametrize(("what", "kind"), [(MISTAKE, "program"), (DAMAGE, "configuration")])
@pytest.mark.parametrize("name", ["begin", "fail"])
async def test_a_judgment_of_which_nothing_can_be_written_is_taken_up_by_the_next_server(
    serve: Serve,
    name: str,
    what: tuple[int, str],
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serve(SILENT if name == "fail" else DECIDED, concurrency=1) as server:
        failing(monkeypatch, name, 1, what)
        judgment = (await post(server, 1)).json()["id"]
        for event, data in (await events(server, judgment))[-1:]:  # none when it was over before that was asked
            assert (event, data["error"]["kind"]) == ("failed", kind)
        await free(server)
        assert f'sixlens_failures_total{{kind="{kind}"}} 1.0' in (await server.client.get("/metrics")).text
        assert what[1] in caplog.text
        assert (await finished(server, (await post(server, 2)).json()["id"]))["status"] != "queued"
    async with serve() as server:
        assert (await finished(server, judgment))["status"] == "done"


@pytest.mark.parametrize("what", [MISTAKE, DAMAGE])
async def test_a_verdict_that_is_kept_is_not_lost_by_what_goes_wrong_afterwards(
    serve: Serve, what: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(concurrency=1) as server:
        with monkeypatch.context() as change:
            failing(change, "release", 10, what)

            def broken(*_: object) -> None:
                raise trouble(*what)

            change.setattr("sixlens.server.review_rows.waiting", broken)
            judgment = (await post(server, 1)).json()["id"]
            await free(server)
        assert (await finished(server, judgment))["status"] == "done"


@pytest.mark.parametrize("what", [MISTAKE, DAMAGE])
async def test_what_cannot_be_purged_is_tried_again(
    serve: Serve, what: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixlens.server.service._PURGE_EVERY_S", 0.01)
    async with serve(None) as server:
        failing(monkeypatch, "retire", 3, what)
        for _ in range(1000):
            if "storage_failures_total 3.0" in (await server.client.get("/metrics")).text:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it was not tried again")


@pytest.mark.parametrize(("what", "kind"), [(MISTAKE, "program"), (DAMAGE, "configuration")])
async def test_a_database_that_does_not_mend_itself_is_500(
    serve: Serve, what: tuple[int, str], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(None) as server:
        failing(monkeypatch, "page", 1, what)
        server.client._transport.raise_app_exceptions = False
        answer = await server.client.get("/v1/judgments")
        assert (answer.status_code, answer.json()["error"]["kind"]) == (500, kind)
        assert "retry-after" not in answer.headers
        assert "full" not in answer.text
        assert 'status="500"} 1.0' in (await server.client.get("/metrics")).text
