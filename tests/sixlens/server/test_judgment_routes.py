from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from backends.errors import ImageError
from backends.images.image import Image
from backends.images.source import load_image
from fusion.verdict import Verdict
from orchestrator.config import Overrides
from orchestrator.sample import draw_sample
from sixlens.page import verdict_page
from sixlens.server.records import Judgment, Judgments
from tests.sixlens.server.conftest import DECIDED, SILENT, UNDECIDED, Running, Serve, bytes_of

SLOW = DECIDED.replace("step: verdict", "step: verdict\n    seconds: 0.3")
HANGING = DECIDED.replace("step: verdict", "step: verdict\n    seconds: 600")
NO_CACHE = ("cache=false",)


def files(photo: Path) -> dict[str, Any]:
    return {"image": (photo.name, bytes_of(photo))}


def variant(number: int) -> bytes:
    """A picture unlike every other."""
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (64, 64), (number % 256, number // 256, 7)).save(buffer, "PNG")
    return buffer.getvalue()


async def finished(server: Running, judgment: str) -> dict[str, Any]:
    for _ in range(400):
        found = (await server.client.get(f"/v1/judgments/{judgment}")).json()
        if found["status"] in ("done", "failed"):
            return dict(found)
        await asyncio.sleep(0.02)
    raise AssertionError("it never ended")


async def test_a_picture_is_judged_and_can_be_read_again(serve: Serve, photo: Path) -> None:
    async with serve() as server:
        judgment = await server.ask(photo, reference="desk-1")
        Judgment.model_validate(judgment)
        assert (judgment["status"], judgment["label"], judgment["reference"]) == ("done", "real", "desk-1")
        assert judgment["ensemble"] == "six"
        assert judgment["image"]["name"] == "photo.jpg"
        again = await server.client.get(f"/v1/judgments/{judgment['id']}")
        assert again.json() == judgment
        by_verdict = await server.client.get(f"/v1/judgments/{judgment['verdict']['id']}")
        assert by_verdict.json() == judgment


async def test_without_waiting_it_is_202_with_a_location(serve: Serve, photo: Path) -> None:
    async with serve(SLOW) as server:
        answer = await server.client.post("/v1/judgments", files=files(photo))
        assert answer.status_code == 202
        assert answer.headers["location"] == f"/v1/judgments/{answer.json()['id']}"
        assert answer.json()["status"] in ("queued", "running")
        assert (await finished(server, answer.json()["id"]))["status"] == "done"


async def test_prefer_waits_too(serve: Serve, photo: Path) -> None:
    async with serve() as server:
        answer = await server.client.post(
            "/v1/judgments", files=files(photo), headers={"Prefer": "respond-async, wait=20"}
        )
        assert answer.status_code == 200


async def test_page_api_and_file_say_the_same(serve: Serve, photo: Path) -> None:
    async with serve() as server:
        judgment = await server.ask(photo)
        alone = await server.client.get(f"/v1/judgments/{judgment['id']}/verdict?download=1")
        assert alone.json() == judgment["verdict"]
        assert "attachment" in alone.headers["content-disposition"]
        verdict = Verdict.model_validate_json(alone.text)
        assert verdict.image.path is None
        report = await server.client.get(f"/v1/judgments/{judgment['id']}/report")
        assert report.text == verdict_page(verdict, None)
        assert "script" not in report.headers["content-security-policy"]


async def test_another_ensemble_can_be_chosen(serve: Serve, photo: Path) -> None:
    async with serve() as server:
        judgment = await server.ask(photo, ensemble="measured")
        assert judgment["undecided_because"] == "no_eyes"
        described = (await server.client.get("/v1/ensembles")).json()
        assert described["default"] == "six"
        six, measured = described["items"]
        assert (six["asks"], six["hosted"], measured["asks"]) == (True, False, False)
        assert six["picture"] == "The picture stays on this server."
        assert next(one["name"] for one in six["paradigms"]) == "defect_query"
        assert all(one["asks"] for one in six["paradigms"])
        assert not any(one["asks"] for one in measured["paradigms"])


async def test_no_backend_is_503_and_the_judgment_says_why(serve: Serve, photo: Path) -> None:
    async with serve(SILENT) as server:
        answer = await server.client.post("/v1/judgments?wait=20", files=files(photo))
        assert answer.status_code == 503
        error = answer.json()["error"]
        assert error["kind"] == "no_verdict"
        judgment = await finished(server, error["judgment"])
        assert judgment["error"] == {"kind": "no_verdict", "message": error["message"]}
        assert not judgment["image"]["kept"]
        report = await server.client.get(f"/v1/judgments/{judgment['id']}/report")
        assert (report.status_code, report.json()["error"]["kind"]) == (409, "not_done")


async def test_the_same_key_may_ask_again_when_no_backend_answered(serve: Serve, photo: Path) -> None:
    key = {"Idempotency-Key": "desk-1"}
    async with serve(SILENT) as server:
        first = await server.client.post("/v1/judgments?wait=20", files=files(photo), headers=key)
    async with serve() as server:
        again = await server.client.post("/v1/judgments?wait=20", files=files(photo), headers=key)
        assert (first.status_code, again.status_code) == (503, 200)
        assert "idempotent-replayed" not in again.headers
        third = await server.client.post("/v1/judgments?wait=20", files=files(photo), headers=key)
        assert third.json()["id"] == again.json()["id"]


@pytest.mark.parametrize(
    ("fields", "status", "kind"),
    [
        ({"ensemble": "sixx"}, 422, "invalid"),
        ({"deadline_s": "0"}, 422, "invalid"),
        ({"deadline_s": "nan"}, 422, "invalid"),
        ({"deadline_s": "9000"}, 422, "invalid"),
        ({"reference": "x" * 201}, 422, "invalid"),
        ({"colour": "red"}, 422, "invalid"),
        ({"review": "perhaps"}, 422, "invalid"),
        ({"url": "https://example.org/a.png"}, 422, "invalid"),
    ],
)
async def test_wrong_fields_are_named(
    serve: Serve, photo: Path, fields: dict[str, str], status: int, kind: str
) -> None:
    async with serve() as server:
        answer = await server.client.post("/v1/judgments", files=files(photo), data=fields)
        assert (answer.status_code, answer.json()["error"]["kind"]) == (status, kind)
        assert any(name in answer.json()["error"]["message"] for name in (*fields, "image"))
        assert (await server.client.get("/v1/judgments")).json()["items"] == []


@pytest.mark.parametrize(
    ("content", "media", "status", "kind"),
    [
        (b"{", "application/json", 400, "bad_request"),
        (b"[]", "application/json", 422, "invalid"),
        (b'{"url": "https://example.org/a.png"}', "application/json", 422, "urls_not_allowed"),
        (b'{"url": "file:///etc/passwd"}', "application/json", 422, "invalid"),
        (b"{}", "application/json", 422, "invalid"),
        (b'{"reference": "\\ud800", "url": "http://x"}', "application/json", 422, "invalid"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"nothing", "multipart/form-data; boundary=x", 400, "bad_request"),
        (b"nothing", "multipart/form-data", 400, "bad_request"),
    ],
)
async def test_wrong_bodies(serve: Serve, content: bytes, media: str, status: int, kind: str) -> None:
    async with serve() as server:
        answer = await server.client.post("/v1/judgments", content=content, headers={"Content-Type": media})
        assert (answer.status_code, answer.json()["error"]["kind"]) == (status, kind)


async def test_what_is_no_picture_is_415_and_a_broken_one_is_422(serve: Serve, photo: Path) -> None:
    async with serve() as server:
        pdf = await server.client.post("/v1/judgments", files={"image": ("a.pdf", b"%PDF-1.7 and more")})
        assert (pdf.status_code, pdf.json()["error"]["kind"]) == (415, "not_a_picture")
        broken = {"image": ('"><svg onload=1>.jpg', bytes_of(photo)[:200])}
        answer = await server.client.post("/v1/judgments?wait=20", files=broken)
        assert (answer.status_code, answer.json()["error"]["kind"]) == (422, "picture")
        assert str(server.service.settings.data_dir) not in answer.text
        assert list((server.service.settings.data_dir / "pictures").iterdir()) == []


async def test_a_picture_of_too_many_pixels_is_refused(serve: Serve, photo: Path) -> None:
    async with serve(max_pixels=96 * 64 - 1) as server:
        answer = await server.client.post("/v1/judgments?wait=20", files=files(photo))
        assert (answer.status_code, answer.json()["error"]["kind"]) == (422, "picture")
        assert "pixels" in answer.json()["error"]["message"]
    async with serve(max_pixels=96 * 64) as server:
        assert (await server.ask(photo))["status"] == "done"


async def test_an_empty_file_is_named_and_no_file_is_asked_for(serve: Serve) -> None:
    async with serve() as server:
        empty = await server.client.post("/v1/judgments", files={"image": ("empty.jpg", b"")})
        assert (empty.status_code, empty.json()["error"]["message"]) == (415, "empty.jpg: the file is empty")
        # So a browser's form sends a file field in which nothing was chosen.
        unchosen = b'--x\r\nContent-Disposition: form-data; name="image"; filename=""\r\n\r\n\r\n--x--\r\n'
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        none = await server.client.post("/v1/judgments", content=unchosen, headers=headers)
        assert (none.status_code, none.json()["error"]["message"][:20]) == (422, "Send either a pictur")
        text = await server.client.post("/v1/judgments", files={"image": (None, "@photo.jpg")})
        assert (text.status_code, text.json()["error"]["message"][:27]) == (422, "image: it has to be a file,")
        assert list((server.service.settings.data_dir / "pictures").iterdir()) == []


async def test_a_failed_judgment_names_no_folder_of_the_server(
    serve: Serve, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(source: object, **options: Any) -> Any:
        raise ImageError("cannot read /srv/private/pictures/a.png: no")

    monkeypatch.setattr("sixlens.server.pictures.load_image", broken)
    async with serve() as server:
        answer = await server.client.post("/v1/judgments?wait=20", files=files(photo))
        assert answer.json()["error"]["message"] == "cannot read …/a.png: no"
        events = await server.client.get(f"/v1/judgments/{answer.json()['error']['judgment']}/events")
        assert "/srv/private" not in events.text


async def test_neither_a_failure_nor_a_report_names_a_folder_with_spaces(
    serve: Serve, photo: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "Anna Schmidt" / "secret case"
    folder.mkdir(parents=True)
    for name, rule in (("silent", "paradigm: x, text: y"), ("real", 'text: "Verdict: real"')):
        script = folder / f"{name}.yaml"
        script.write_text(f"model: m\nrules:\n  - {{{rule}}}\n", "utf-8")
        async with serve(None, overrides=Overrides(f"scripted:{script}", None, ())) as server:
            answer = await server.client.post("/v1/judgments?wait=20", files=files(photo), data={"ensemble": "six"})
            if name == "silent":
                told = answer.text + (await server.client.get("/v1/judgments")).text
            else:
                told = (await server.client.get(answer.json()["links"]["report"])).text
        assert f"scripted:…/{name}.yaml" in told
        assert not re.search("Anna|Schmidt|secret|case/", told)


async def test_large_requests_are_413_whether_they_say_so_or_not(serve: Serve) -> None:
    async with serve(max_bytes=4096) as server:
        large = {"image": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(200_000))}
        said = await server.client.post("/v1/judgments", files=large)
        assert (said.status_code, said.json()["error"]["kind"]) == (413, "too_large")

        async def unsaid() -> Any:
            yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n\x89PNG\r\n\x1a\n'
            for _ in range(100):
                yield bytes(4096)

        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = await server.client.post("/v1/judgments", content=unsaid(), headers=headers)
        assert (answer.status_code, answer.json()["error"]["kind"]) == (413, "too_large")


async def test_a_slow_request_is_408(serve: Serve) -> None:
    async with serve(body_s=0.05) as server:

        async def trickle() -> Any:
            yield b"--x\r\n"
            await asyncio.sleep(5)

        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = await server.client.post("/v1/judgments", content=trickle(), headers=headers)
        assert (answer.status_code, answer.json()["error"]["kind"]) == (408, "too_slow")


@pytest.mark.parametrize("media", ["application/json", "multipart/form-data; boundary=a"])
async def test_a_request_that_stands_still_gives_up_its_place(
    serve: Serve, media: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixlens.server.body.IDLE_S", 0.05)

    async def stuck() -> Any:
        yield b"--a\r\n"
        await asyncio.sleep(10)

    async with serve(uploads=1) as server:
        answer = await server.client.post("/v1/judgments", content=stuck(), headers={"Content-Type": media})
        assert (answer.status_code, answer.json()["error"]["kind"]) == (408, "too_slow")
        assert not server.service.uploads.locked()


async def test_the_same_key_gives_the_same_judgment(serve: Serve, photo: Path, tmp_path: Path) -> None:
    async with serve() as server:
        key = {"Idempotency-Key": "k-1"}
        first = await server.client.post("/v1/judgments?wait=20", files=files(photo), headers=key)
        again = await server.client.post("/v1/judgments?wait=20", files=files(photo), headers=key)
        assert first.json() == again.json()
        assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
        other = {"image": ("photo.jpg", variant(1))}
        for sent, data in ((other, {}), (files(photo), {"reference": "b"})):
            answer = await server.client.post("/v1/judgments", files=sent, data=data, headers=key)
            assert (answer.status_code, answer.json()["error"]["kind"]) == (422, "idempotency_key_reused")
            assert answer.json()["error"]["judgment"] == first.json()["id"]
        assert len((await server.client.get("/v1/judgments")).json()["items"]) == 1


async def test_the_same_key_at_once_makes_one_judgment(serve: Serve, photo: Path) -> None:
    async with serve() as server:
        key = {"Idempotency-Key": "k-2"}
        asked = [server.client.post("/v1/judgments?wait=20", files=files(photo), headers=key) for _ in range(8)]
        answers = await asyncio.gather(*asked)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert len({answer.json()["verdict"]["id"] for answer in answers}) == 1


async def test_listing_pages_and_filters(serve: Serve, photo: Path) -> None:
    async with serve() as server:
        made = [await server.ask(photo, reference=f"r-{index % 2}") for index in range(5)]
        undecided = await server.ask(photo, ensemble="measured")
        newest = [one["id"] for one in reversed([*made, undecided])]
        first = (await server.client.get("/v1/judgments?limit=4")).json()
        Judgments.model_validate(first)
        rest = (await server.client.get(f"/v1/judgments?limit=4&cursor={first['next_cursor']}")).json()
        assert [one["id"] for one in first["items"] + rest["items"]] == newest
        assert rest["next_cursor"] is None

        async def ids(**query: str) -> list[str]:
            answer = await server.client.get("/v1/judgments", params=query)
            return [one["id"] for one in answer.json()["items"]]

        assert await ids(label="undecided") == [undecided["id"]]
        assert await ids(reference="r-1") == [made[3]["id"], made[1]["id"]]
        assert await ids(status="failed") == []
        assert await ids(since=made[3]["created_at"], until=undecided["created_at"]) == [made[4]["id"], made[3]["id"]]
        for wrong in ("cursor=x", "limit=0", "label=perhaps", "since=yesterday", "cursor=99999999999999999999"):
            answer = await server.client.get(f"/v1/judgments?{wrong}")
            assert (answer.status_code, answer.json()["error"]["kind"]) == (422, "invalid"), wrong


async def test_export(serve: Serve, photo: Path) -> None:
    async with serve() as server:
        one = await server.ask(photo, reference="=1+1")
        lines = (await server.client.get("/v1/judgments/export")).text.splitlines()
        assert [json.loads(line) for line in lines] == [one]
        table = (await server.client.get("/v1/judgments/export?format=csv")).text
        (row,) = csv.DictReader(io.StringIO(table))
        assert (row["id"], row["label"], row["reference"]) == (one["id"], "real", "'=1+1")
        assert row["config_sha256"] == one["verdict"]["config_sha256"]


async def test_the_picture_is_kept_only_when_asked(serve: Serve, photo: Path, tmp_path: Path) -> None:
    async with serve() as server:
        judgment = await server.ask(photo)
        answer = await server.client.get(f"/v1/judgments/{judgment['id']}/picture")
        assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "picture_gone")
        assert judgment["links"]["picture"] is None
    async with serve(keep_pictures=True, data_dir=tmp_path / "other") as server:
        judgment = await server.ask(photo)
        answer = await server.client.get(judgment["links"]["picture"])
        assert answer.content == bytes_of(photo)
        assert answer.headers["content-type"] == "image/jpeg"
        assert "data:image/jpeg" in (await server.client.get(judgment["links"]["report"])).text


async def test_deleting(serve: Serve, photo: Path) -> None:
    async with serve(UNDECIDED) as server:
        judgment = await server.ask(photo)
        folder = server.service.settings.data_dir / "pictures"
        assert len(list(folder.iterdir())) == 1
        assert (await server.client.delete(f"/v1/judgments/{judgment['id']}")).status_code == 204
        assert list(folder.iterdir()) == []
        assert (await server.client.get(f"/v1/judgments/{judgment['id']}")).status_code == 404
        assert (await server.client.get("/v1/reviews")).json()["waiting"] == 0
        assert (await server.client.delete(f"/v1/judgments/{judgment['id']}")).status_code == 404


async def test_deleting_what_runs_or_waits_stops_it(serve: Serve, photo: Path) -> None:
    async with serve(HANGING, concurrency=1) as server:
        ids = [(await server.client.post("/v1/judgments", files=files(photo))).json()["id"] for _ in range(2)]
        await asyncio.sleep(0.2)
        for ident in ids:
            assert (await server.client.delete(f"/v1/judgments/{ident}")).status_code == 204
        await asyncio.sleep(0.1)
        assert server.service.queue.occupied == 0
        assert (await server.client.get("/v1/judgments")).json()["items"] == []


async def test_a_deadline_skips_what_is_late(serve: Serve, photo: Path) -> None:
    late = DECIDED.replace(
        "rules:\n",
        """rules:
  - {paradigm: structural, step: verdict, text: "late", seconds: 600}
""",
        1,
    )
    async with serve(late, sets=NO_CACHE) as server:
        judgment = await server.ask(photo, deadline_s="1")
        (report,) = [one for one in judgment["verdict"]["reports"] if one["paradigm"] == "structural"]
        assert (report["outcome"], report["cause"]) == ("skipped", "deadline")
        assert judgment["deadline_s"] == 1


async def test_metrics_count(serve: Serve, photo: Path) -> None:
    async with serve() as server:
        await server.ask(photo)
        text = (await server.client.get("/metrics")).text
        assert 'sixlens_judgments_total{ensemble="six",label="real"} 1.0' in text
        assert 'sixlens_tokens_total{direction="input"} 7000.0' in text
        assert 'sixlens_http_requests_total{method="POST",route="/v1/judgments",status="200"} 1.0' in text
        assert "sixlens_queue_length 0.0" in text
        assert 'sixlens_judgment_seconds_count{ensemble="six"} 1.0' in text
        assert "sixlens_unmetered_judgments_total 0.0" in text
        await server.ask(photo, ensemble="measured")
        assert "sixlens_unmetered_judgments_total 0.0" in (await server.client.get("/metrics")).text


async def test_unknown_tokens_are_not_counted_as_none(serve: Serve, photo: Path) -> None:
    async with serve(UNDECIDED) as server:
        await server.ask(photo)
        text = (await server.client.get("/metrics")).text
    assert "sixlens_unmetered_judgments_total 1.0" in text
    assert "sixlens_tokens_total{" not in text


async def test_the_sample_is_judged_by_measuring_alone(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "sample.png"
    draw_sample().save(path)
    async with serve(None) as server:
        judgment = await server.ask(path)
        assert (judgment["ensemble"], judgment["undecided_because"]) == ("measured", "no_eyes")


async def test_an_address_is_fetched_only_when_allowed(
    serve: Serve, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(source: object, **options: Any) -> Any:
        if not isinstance(source, str):
            return load_image(source, **options)
        assert source == "https://desk:key@example.org/a/photo.jpg?token=secret"
        assert options["allow_urls"]
        return Image.read(bytes_of(photo), name="photo.jpg", path="https://example.org/a/photo.jpg")

    monkeypatch.setattr("sixlens.server.pictures.load_image", fetch)
    asked = {"url": "https://desk:key@example.org/a/photo.jpg?token=secret"}
    async with serve(UNDECIDED, allow_urls=True) as server:
        answer = await server.client.post("/v1/judgments?wait=20", json=asked)
        judgment = answer.json()
        assert judgment["image"]["name"] == "photo.jpg"
        assert judgment["image"]["sha256"] == judgment["verdict"]["image"]["sha256"]
        assert judgment["verdict"]["image"]["path"] == "https://example.org/a/photo.jpg"
        assert "secret" not in answer.text
        assert (await server.client.get(judgment["links"]["picture"])).content == bytes_of(photo)
        kept = await server.service.store.run(lambda connection: list(connection.iterdump()))
        assert not any("secret" in line for line in kept)
        form = await server.client.post("/v1/judgments?wait=20", data=asked, files={"reference": (None, "r")})
        assert (form.status_code, form.json()["reference"]) == (200, "r")


async def test_an_address_that_leads_nowhere_good(serve: Serve) -> None:
    async with serve(allow_urls=True) as server:
        for url in ("http://127.0.0.1:1/a.png", "http://169.254.169.254/latest/meta-data"):
            answer = await server.client.post("/v1/judgments?wait=20", json={"url": url})
            assert (answer.status_code, answer.json()["error"]["kind"]) == (422, "picture"), url


async def test_traces_are_made_when_they_are_wanted(serve: Serve, photo: Path) -> None:
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    kept, provider = memory.InMemorySpanExporter(), sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(kept))
    async with serve(tracer_provider=provider) as server:
        judgment = await server.ask(photo, reference="desk-4711")
    spans = kept.get_finished_spans()
    assert [span.name for span in spans].count("invoke_workflow six") == 1
    written = "".join(span.to_json() for span in spans)
    assert judgment["verdict"]["id"] in written
    assert [told for told in (photo.name, judgment["image"]["sha256"], "desk-4711") if told in written] == []
