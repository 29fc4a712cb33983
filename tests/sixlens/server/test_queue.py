from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from backends.errors import ConfigError
from backends.images.source import load_image
from sixlens.server import judgment_rows as rows
from tests.sixlens.server.conftest import DECIDED, SILENT, UNDECIDED, Running, Serve, bytes_of
from tests.sixlens.server.test_judgment_routes import HANGING, NO_CACHE, SLOW, files, finished, variant


async def post(server: Running, number: int, **headers: str) -> Any:
    return await server.client.post("/v1/judgments", files={"image": ("a.png", variant(number))}, headers=headers)


async def free(server: Running) -> None:
    for _ in range(1000):
        if not server.service.queue.occupied:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never ended")


async def test_a_full_queue_says_when_to_come_again(serve: Serve) -> None:
    async with serve(HANGING, concurrency=1, queue=2, grace_s=0) as server:
        answers = [await post(server, number) for number in range(6)]
        assert [answer.status_code for answer in answers] == [202, 202, 202, 429, 429, 429]
        waits = [int(answer.headers["retry-after"]) for answer in answers[3:]]
        assert waits == sorted(waits)  # who comes later is told a later time, so that not all come back at once
        assert waits[0] >= 1
        assert answers[3].json()["error"]["kind"] == "busy"
        positions = [(await server.client.get(answer.headers["location"])).json()["position"] for answer in answers[:3]]
        assert positions == [None, 0, 1]


async def test_a_known_key_needs_no_place(serve: Serve) -> None:
    async with serve(HANGING, concurrency=1, queue=0, grace_s=0) as server:
        first = await post(server, 1, **{"Idempotency-Key": "k"})
        assert (await post(server, 2)).status_code == 429
        assert (await post(server, 1, **{"Idempotency-Key": "k"})).json()["id"] == first.json()["id"]


async def test_refused_uploads_are_lost_by_nobody(serve: Serve) -> None:
    """Many clients at once, each coming again when it was told to: in the end everybody has a verdict."""
    async with serve(DECIDED, concurrency=4, queue=8) as server:

        async def client(number: int) -> str:
            while True:
                answer = await post(server, number)
                if answer.status_code == 202:
                    return str(answer.json()["id"])
                assert answer.status_code == 429
                assert 1 <= int(answer.headers["retry-after"]) <= 3600
                await asyncio.sleep(0.05)

        ids = await asyncio.gather(*[client(number) for number in range(40)])
        ended = [await finished(server, ident) for ident in ids]
        assert {one["status"] for one in ended} == {"done"}
        assert len({one["image"]["sha256"] for one in ended}) == 40
        assert list((server.service.settings.data_dir / "pictures").iterdir()) == []


async def test_events_come_live_and_are_replayed(serve: Serve, photo: Path) -> None:
    async with serve(SLOW) as server:
        judgment = (await server.client.post("/v1/judgments", files=files(photo))).json()["id"]
        live = await events(server, judgment)
        replayed = await events(server, judgment)
    for told in (live, replayed):
        names = [name for name, _ in told]
        assert [data for name, data in told if name == "prepared"] == [{"medium": "photograph"}]
        assert names[-1] == "decided"
        assert names.count("reported") == 6
        assert names.index("prepared") < names.index("reported")
        assert told[-1][1]["judgment"]["verdict"]["label"] == "real"
    assert {data["report"]["paradigm"] for name, data in live if name == "reported"} == {
        data["report"]["paradigm"] for name, data in replayed if name == "reported"
    }


async def events(server: Running, judgment: str) -> list[tuple[str, Any]]:
    answer = await server.client.get(f"/v1/judgments/{judgment}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = []
    for block in answer.text.split("\n\n"):
        if block.startswith("event: "):
            name, data = block.split("\n")
            told.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return told


async def test_heartbeats_while_nothing_happens(serve: Serve, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sixlens.server.event_routes.HEARTBEAT_S", 0.02)
    async with serve(SLOW) as server:
        judgment = (await server.client.post("/v1/judgments", files=files(photo))).json()["id"]
        answer = await server.client.get(f"/v1/judgments/{judgment}/events")
        assert ": still here\n\n" in answer.text


async def test_a_server_that_stops_finishes_what_is_under_way(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(SLOW, concurrency=1, grace_s=20, sets=NO_CACHE) as server:
        first, second = [(await post(server, number)).json()["id"] for number in range(2)]
        await asyncio.sleep(0.1)
        stopping = asyncio.create_task(server.service.queue.drain())
        await asyncio.sleep(0.05)
        # Somebody was sending already when it began to stop: that waits on disk too.
        picture = {"image": ("a.png", variant(9))}
        with monkeypatch.context() as sending:
            sending.setattr(server.service.queue, "place", contextlib.nullcontext)
            late = (await server.client.post("/v1/judgments?wait=60", files=picture)).json()["id"]
        assert (await events(server, late)) == [("draining", {})]
        refused = await post(server, 3)
        assert (refused.status_code, refused.json()["error"]["kind"]) == (503, "draining")
        assert int(refused.headers["retry-after"]) >= 1
        assert (await server.client.get("/readyz")).status_code == 503
        assert (await server.client.get("/healthz")).status_code == 200
        await stopping
        assert (await server.client.get(f"/v1/judgments/{first}")).json()["status"] == "done"
        assert (await server.client.get(f"/v1/judgments/{second}")).json()["status"] == "queued"
    async with serve(DECIDED) as server:
        assert [(await finished(server, ident))["status"] for ident in (second, late)] == ["done", "done"]


async def test_what_takes_longer_than_the_grace_is_handed_back(serve: Serve) -> None:
    async with serve(HANGING, concurrency=1, grace_s=0.05) as server:
        ids = [(await post(server, number)).json()["id"] for number in range(3)]
        following = asyncio.create_task(events(server, ids[0]))
        await asyncio.sleep(0.2)
        await server.service.queue.drain()
        assert (await following)[-1][0] == "draining"
        for ident in ids:
            assert (await server.client.get(f"/v1/judgments/{ident}")).json()["status"] == "queued"
    async with serve(DECIDED) as server:
        assert {(await finished(server, ident))["status"] for ident in ids} == {"done"}


async def test_what_cannot_be_taken_up_again_says_so(serve: Serve) -> None:
    async with serve(HANGING, concurrency=1, grace_s=0) as server:
        lost, cursed, other = [(await post(server, number)).json()["id"] for number in range(3)]
        folder = server.service.settings.data_dir
        await server.service.queue.drain()
        server.service.pictures.remove(lost, ".png")
        await server.service.store.run(
            lambda connection: (
                connection.execute(
                    "UPDATE judgments SET attempts = ? WHERE id = ?", (rows.MAX_ATTEMPTS, cursed)
                ).rowcount
            )
        )
    async with serve(None) as server:
        found = [(await server.client.get(f"/v1/judgments/{ident}")).json() for ident in (lost, cursed, other)]
        assert [one["error"]["kind"] for one in found] == ["interrupted"] * 3
        assert "Send it again" in found[0]["error"]["message"]
        assert "several times" in found[1]["error"]["message"]
        assert "'six'" in found[2]["error"]["message"]
        assert list((folder / "pictures").iterdir()) == []


async def test_reviews_are_there_after_a_restart(serve: Serve, photo: Path) -> None:
    async with serve(UNDECIDED) as server:
        await server.ask(photo)
        before = (await server.client.get("/v1/reviews")).json()
    async with serve(None) as server:
        assert (await server.client.get("/v1/reviews")).json() == before
        picture = await server.client.get(f"/v1/reviews/{before['items'][0]['id']}/picture")
        assert picture.status_code == 200


async def test_two_servers_do_not_share_a_folder(serve: Serve) -> None:
    async with serve(None):
        with pytest.raises(ConfigError, match=r"another `sixlens serve`"):
            async with serve(None):
                pass


async def test_old_judgments_are_deleted_and_pictures_with_them(
    serve: Serve, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(UNDECIDED, retention_days=1) as server:
        old, new = [await server.ask(photo) for _ in range(2)]
        await server.service.store.run(
            lambda connection: (
                connection.execute(
                    "UPDATE judgments SET created_at = created_at - 90000 WHERE id = ?", (old["id"],)
                ).rowcount
            )
        )
        await server.service.purge()
        assert [one["id"] for one in (await server.client.get("/v1/judgments")).json()["items"]] == [new["id"]]
        assert [path.stem for path in (server.service.settings.data_dir / "pictures").iterdir()] == [new["id"]]


async def test_answers_lie_in_the_data_folder_and_not_longer_than_judgments(serve: Serve, photo: Path) -> None:
    def kept(server: Running, statement: str = "SELECT count(*) FROM answers") -> int:
        with contextlib.closing(sqlite3.connect(server.service.settings.data_dir / "answers.sqlite")) as file:
            found = file.execute(statement).fetchone()
            file.commit()
        return 0 if found is None else int(found[0])

    async with serve(cache=True, retention_days=200) as server:
        hits = [(await server.ask(photo))["verdict"]["usage"]["cache_hits"] for _ in range(2)]
        assert hits[0] == 0 < hits[1]
        await server.service.purge()
        kept(server, "UPDATE answers SET created = created - 45 * 86400")
        await server.service.purge()
        assert kept(server) > 0
    # Also when no more are kept.
    async with serve(cache=False, retention_days=30) as server:
        assert (await server.ask(photo))["verdict"]["usage"]["cache_hits"] == 0
        assert kept(server) == 0


async def test_a_full_disk_costs_one_request(serve: Serve, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve() as server:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as broken:
            broken.setattr("sixlens.server.pictures.os.fsync", full)
            answer = await server.client.post("/v1/judgments", files=files(photo))
            assert (answer.status_code, answer.json()["error"]["kind"]) == (507, "no_room")
        assert (await server.ask(photo))["status"] == "done"
        await free(server)


FULL = (sqlite3.SQLITE_FULL, "database or disk is full")


def trouble(code: int, words: str) -> sqlite3.DatabaseError:
    """What SQLite raises."""
    error = (sqlite3.DatabaseError if code == sqlite3.SQLITE_CORRUPT else sqlite3.OperationalError)(words)
    error.sqlite_errorcode = code
    return error


def failing(monkeypatch: pytest.MonkeyPatch, name: str, times: int, what: tuple[int, str] = FULL) -> None:
    """Let the disk be full, or something else be wrong, for so many tries of this work."""
    work, left = getattr(rows, name), [None] * times

    def full(*arguments: Any, **named: Any) -> Any:
        if left:
            left.pop()
            raise trouble(*what)
        return work(*arguments, **named)

    monkeypatch.setattr("sixlens.server.queue._STORAGE_PAUSE_S", 0.01)
    monkeypatch.setattr(rows, name, full)


@pytest.mark.parametrize(
    ("name", "script", "status"),
    [("begin", DECIDED, "done"), ("finish", DECIDED, "done"), ("fail", SILENT, "failed"), ("release", DECIDED, "done")],
)
async def test_a_disk_that_is_full_for_a_while_loses_nothing(
    serve: Serve, name: str, script: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 1 if name == "release" else 3
    async with serve(script, concurrency=1) as server:
        failing(monkeypatch, name, tries)
        judgment = await finished(server, (await post(server, 1)).json()["id"])
        assert judgment["status"] == status
        counted = (await server.client.get("/metrics")).text
        assert f"sixlens_storage_failures_total {tries}.0" in counted
        if name == "finish":
            assert f"sixlens_calls_total {judgment['verdict']['usage']['calls']}.0" in counted  # asked once
        assert (await finished(server, (await post(server, 2)).json()["id"]))["status"] == status


async def test_a_disk_that_is_full_at_the_start_is_one_line(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "retire", 1)
    with pytest.raises(ConfigError, match="cannot be used now") as caught:
        async with serve(None):
            pass
    assert "\n" not in str(caught.value)


async def test_a_server_can_stop_while_its_disk_is_full(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(concurrency=1, grace_s=0) as server:
        with monkeypatch.context() as change:
            failing(change, "finish", 10_000)
            failing(change, "hand_back", 10_000)
            judgment = (await post(server, 1)).json()["id"]
            following = asyncio.create_task(events(server, judgment))
            for _ in range(1000):
                if "storage_failures_total 0.0" not in (await server.client.get("/metrics")).text:
                    break
                await asyncio.sleep(0.01)
            await server.service.queue.drain()
            assert (await following)[-1][0] == "draining"
    async with serve() as server:
        assert (await finished(server, judgment))["status"] == "done"


async def test_what_is_only_slow_is_not_taken_for_the_disk(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve() as server:

        async def late(*_: object) -> None:
            raise TimeoutError("somebody was slow")

        monkeypatch.setattr(server.service.queue, "_happened", late)
        answer = await server.client.post("/v1/judgments?wait=20", files={"image": ("a.png", variant(1))})
        assert (answer.status_code, answer.json()["error"]["kind"]) == (500, "program")
        judgment = answer.json()["error"]["judgment"]
        assert [name for name, _ in await events(server, judgment)] == ["failed"]
        assert 'sixlens_failures_total{kind="program"} 1.0' in (await server.client.get("/metrics")).text


async def test_draining_is_only_said_by_a_server_that_drains(serve: Serve) -> None:
    async with serve(None) as server:
        new = rows.NewJudgment("a", 1.0, "measured", "0", "a.png")
        await server.service.store.run(rows.insert, new)  # and not yet let wait
        assert await events(server, "a") == []
        server.service.queue.draining = True
        assert await events(server, "a") == [("draining", {})]


async def test_what_cannot_be_deleted_goes_on(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(SLOW) as server:
        address = (await post(server, 1)).headers["location"]
        with monkeypatch.context() as change:
            failing(change, "delete", 1)
            refused = await server.client.delete(address)
        assert (refused.status_code, refused.json()["error"]["kind"]) == (503, "storage")
        assert (await finished(server, address.rpartition("/")[2]))["status"] == "done"
        assert (await server.client.delete(address)).status_code == 204


async def test_a_fetched_picture_that_cannot_be_kept_frees_its_key(
    serve: Serve, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "/srv/private/a.part")

    monkeypatch.setattr("sixlens.server.pictures.load_image", lambda *_, **__: load_image(photo))
    monkeypatch.setattr(Path, "replace", full)
    async with serve(allow_urls=True) as server:
        asked = {"url": "https://example.org/a.jpg"}
        answer = await server.client.post("/v1/judgments?wait=20", json=asked, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["error"]["kind"]) == (503, "storage")
        assert "/srv" not in answer.text
        monkeypatch.undo()


async def test_the_wait_told_follows_the_time_that_judgments_take(serve: Serve) -> None:
    async with serve(SLOW.replace("0.3", "0.1"), concurrency=1, queue=0, sets=NO_CACHE) as server:
        assert (await post(server, 1)).status_code == 202
        told = int((await post(server, 2)).headers["retry-after"])
        await free(server)
        for number in range(3, 6):
            assert (await post(server, number)).status_code == 202
            await free(server)
        await post(server, 20)
        later = int((await post(server, 21)).headers["retry-after"])
        assert told == 5
        assert later < told


async def test_a_fault_in_the_program_costs_one_judgment(
    serve: Serve, photo: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(concurrency=1) as server:

        def broken(*_: object, **__: object) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as change:
            change.setattr("sixlens.server.queue.reason_for_review", broken)
            answer = await server.client.post("/v1/judgments?wait=20", files=files(photo))
        assert (answer.status_code, answer.json()["error"]["kind"]) == (500, "program")
        assert "ZeroDivisionError" in caplog.text
        assert (await server.ask(photo))["status"] == "done"


async def test_a_fault_in_a_route_has_the_same_shape_and_headers(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(None) as server:

        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("sixlens.server.views.judgment", broken)
        monkeypatch.setattr(server.service, "judgment", broken)
        server.client._transport.raise_app_exceptions = False
        answer = await server.client.get("/v1/judgments/x")
        assert (answer.status_code, answer.json()["error"]["kind"]) == (500, "program")
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_database_that_cannot_be_used_is_503_and_comes_back(
    serve: Serve, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve() as server:

        def full(*_: object) -> None:
            raise trouble(*FULL)

        with monkeypatch.context() as broken:
            broken.setattr("sixlens.server.judgment_rows.page", full)
            answer = await server.client.get("/v1/judgments")
        assert (answer.status_code, answer.json()["error"]["kind"]) == (503, "storage")
        assert int(answer.headers["retry-after"]) >= 1
        assert (await server.ask(photo))["status"] == "done"


async def test_a_client_that_goes_away_is_no_fault(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b'{"url": '
        raise ClientDisconnect

    async with serve() as server:
        media = {"Content-Type": "application/json"}
        answer = await server.client.post("/v1/judgments", content=half(), headers=media)
        assert answer.status_code == 499
        assert server.service.queue.occupied == 0
    assert caplog.text == ""


async def test_a_picture_is_copied_where_a_file_has_one_name_only(
    serve: Serve, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    async with serve(keep_pictures=True) as server:
        old = await server.ask(photo)
        new = await server.client.post(f"/v1/judgments/{old['id']}/appeal", json={"reason": "It is mine."})
        assert new.status_code == 202
        await server.service.queue.wait(new.json()["id"], 20)
        picture = await server.client.get(f"/v1/judgments/{new.json()['id']}/picture")
        assert picture.content == bytes_of(photo)
