from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from evals.calibrate.people import read_labels
from fusion.verdict import Verdict
from paradigms.label import Label
from sixlens.server.records import Review, Reviews
from sixlens.server.review_rules import blind_evidence, reason_for_review
from tests.sixlens.server.conftest import DECIDED, DISSENT, UNDECIDED, Running, Serve, bytes_of
from tests.sixlens.server.test_judgment_routes import files, variant

EDITOR = {"decision": "generated", "note": "The rigging has no end.", "reviewer": "A. Editor"}


async def reviews(server: Running, query: str = "") -> list[dict[str, Any]]:
    answer = await server.client.get(f"/v1/reviews{query}")
    Reviews.model_validate(answer.json())
    return list(answer.json()["items"])


async def test_undecided_and_dissenting_cases_wait_with_their_label(serve: Serve, photo: Path) -> None:
    for script, reason in ((UNDECIDED, "undecided"), (DISSENT, "dissent")):
        async with serve(script, sets=("cache=false",)) as server:
            judgment = await server.ask(photo)
            assert judgment["review"] == {"status": "waiting", "reason": reason}
            assert judgment["image"]["kept"]
            review = (await reviews(server))[-1]
            assert (review["reason"], review["blind"], review["judgment"]) == (reason, False, judgment["id"])
            assert review["verdict"] == judgment["verdict"]
            picture = await server.client.get(f"/v1/reviews/{review['id']}/picture")
            assert PIL.Image.open(io.BytesIO(picture.content)).size == (96, 64)


async def test_a_decided_case_that_is_not_drawn_waits_for_nobody(serve: Serve, photo: Path) -> None:
    async with serve(review_share=0.0) as server:
        assert (await server.ask(photo))["review"] == {"status": "none", "reason": None}
        assert await reviews(server) == []


async def test_a_drawn_case_is_blind_until_a_person_has_decided(serve: Serve, photo: Path) -> None:
    async with serve(review_share=1.0) as server:
        judgment = await server.ask(photo, reference="label-real")
        assert judgment["verdict"]["label"] == "real"  # whoever sent it gets the verdict
        (review,) = await reviews(server)
        Review.model_validate(review)
        assert (review["reason"], review["blind"]) == ("random", True)
        for name in ("judgment", "reference", "verdict", "label", "headline"):
            assert review[name] is None
        assert review["image"] == {"name": None, "width": 96, "height": 64, "kept": True}
        told = json.dumps(review)
        for secret in (judgment["id"], judgment["verdict"]["id"], "photo.jpg", "label-real", "points_to", "lenses do"):
            assert secret not in told
        assert "lens blur" in told
        decided = await server.client.post(f"/v1/reviews/{review['id']}", json=EDITOR)
        assert decided.status_code == 200
        shown = decided.json()
        assert (shown["blind"], shown["verdict"], shown["status"]) == (False, judgment["verdict"], "decided")
        assert shown["decisions"][0]["blind"]
        assert not shown["image"]["kept"]
        assert list((server.service.settings.data_dir / "pictures").iterdir()) == []


async def test_decisions_are_added_and_stand_on_the_report(serve: Serve, photo: Path) -> None:
    async with serve(UNDECIDED) as server:
        judgment = await server.ask(photo)
        (review,) = await reviews(server)
        address = f"/v1/reviews/{review['id']}"
        await server.client.post(address, json=EDITOR)
        again = await server.client.post(address, json={"decision": "real", "reviewer": "<script>B</script>"})
        assert [one["decision"] for one in again.json()["decisions"]] == ["generated", "real"]
        found = (await server.client.get(f"/v1/judgments/{judgment['id']}")).json()
        assert found["decision"]["decision"] == "real"
        assert [one["note"] for one in found["decisions"]] == [EDITOR["note"], ""]
        assert found["verdict"] == judgment["verdict"]  # nothing is overwritten
        report = (await server.client.get(f"/v1/judgments/{judgment['id']}/report")).text
        assert "It is a photograph." in report
        assert "<script>" not in report
        assert await reviews(server) == []
        assert len(await reviews(server, "?status=decided")) == 1


async def test_wrong_decisions(serve: Serve, photo: Path) -> None:
    async with serve(UNDECIDED) as server:
        await server.ask(photo)
        (review,) = await reviews(server)
        for wrong in (
            {},
            {"decision": "fake", "reviewer": "A"},
            {"decision": "real"},
            {"decision": "real", "reviewer": ""},
            {"decision": "real", "reviewer": "A", "note": "x" * 4001},
            {"decision": "real", "reviewer": "A", "more": 1},
        ):
            answer = await server.client.post(f"/v1/reviews/{review['id']}", json=wrong)
            assert (answer.status_code, answer.json()["error"]["kind"]) == (422, "invalid")
        answer = await server.client.post("/v1/reviews/none", json=EDITOR)
        assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "not_found")


async def test_labels_are_exported_once_each(serve: Serve, photo: Path) -> None:
    async with serve(UNDECIDED) as server:
        await decide_again(server, photo, "generated")
        table = (await server.client.get("/v1/reviews/export")).text
        (row,) = csv.DictReader(io.StringIO(table))
        assert (row["label"], row["tool_label"], row["reference"]) == ("generated", "undecided", "generated")
        assert len(row["sha256"]) == len(row["config_sha256"]) == 64
        lines = (await server.client.get("/v1/reviews/export?format=jsonl")).text.splitlines()
        assert [json.loads(line)["label"] for line in lines] == ["generated"]


async def test_of_one_file_the_latest_decision_is_its_label(serve: Serve, photo: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    async with serve(UNDECIDED) as server:
        judged = await decide_again(server, photo, "generated")
        await decide_again(server, photo, "real")
        labels.write_bytes((await server.client.get("/v1/reviews/export")).content)
        assert read_labels(labels) == {judged["image"]["sha256"]: Label.REAL}
        await decide_again(server, photo, "cannot_tell")
        labels.write_bytes((await server.client.get("/v1/reviews/export")).content)
        assert read_labels(labels) == {}


async def decide_again(server: Running, photo: Path, decision: str) -> dict[str, Any]:
    judgment = await server.ask(photo, reference=decision)
    (review,) = await reviews(server)
    answer = await server.client.post(f"/v1/reviews/{review['id']}", json={"decision": decision, "reviewer": "A"})
    assert answer.status_code == 200
    return judgment


async def test_a_confident_verdict_can_be_appealed_with_a_better_file(
    serve: Serve, photo: Path, declared: Path
) -> None:
    async with serve() as server:
        old = await server.ask(photo, reference="desk-1")
        appealed = await server.client.post(
            f"/v1/judgments/{old['verdict']['id']}/appeal",
            data={"reason": "This is the camera's own file."},
            files={"image": ("original.jpg", bytes_of(declared))},
        )
        assert appealed.status_code == 202
        new = appealed.json()
        assert (new["supersedes"], new["reference"]) == (old["id"], "desk-1")
        assert appealed.headers["location"] == f"/v1/judgments/{new['id']}"
        await server.service.queue.wait(new["id"], 20)
        new = (await server.client.get(f"/v1/judgments/{new['id']}")).json()
        before = (await server.client.get(f"/v1/judgments/{old['id']}")).json()
        assert before["superseded_by"] == new["id"]
        assert before["verdict"] == old["verdict"]
        reports = [(await server.client.get(one["links"]["report"])).text for one in (before, new)]
        assert [f"judgment <bdi>{new['id']}</bdi> stands in the place of" in page for page in reports] == [True, False]
        (appeal,) = before["appeals"]
        assert (appeal["reason"], appeal["judgment"], appeal["status"]) == (
            "This is the camera's own file.",
            new["id"],
            "done",
        )
        (review,) = await reviews(server)
        assert (review["reason"], review["appeal"]) == ("appeal", "This is the camera's own file.")
        again = await server.client.post(f"/v1/judgments/{old['id']}/appeal", json={"reason": "again"})
        assert (again.status_code, again.json()["error"]["kind"]) == (409, "superseded")
        assert again.json()["error"]["judgment"] == new["id"]


async def test_an_appeal_without_a_file_needs_the_picture(serve: Serve, photo: Path) -> None:
    async with serve() as server:
        old = await server.ask(photo)
        answer = await server.client.post(f"/v1/judgments/{old['id']}/appeal", json={"reason": "It is mine."})
        assert (answer.status_code, answer.json()["error"]["kind"]) == (409, "picture_gone")
        address = f"/v1/judgments/{old['id']}/appeal"
        nothing = await server.client.post(address, json={"reason": ""})
        assert nothing.json()["error"]["message"] == "reason: it needs 1 or more characters"
        empty = {"image": ("original.jpg", b"")}
        answer = await server.client.post(address, data={"reason": "It is mine."}, files=empty)
        assert (answer.status_code, answer.json()["error"]["message"]) == (415, "original.jpg: the file is empty")


async def test_an_appeal_of_a_kept_picture_closes_the_old_review(serve: Serve, photo: Path) -> None:
    async with serve(UNDECIDED) as server:
        old = await server.ask(photo)
        (first,) = await reviews(server)
        answer = await server.client.post(f"/v1/judgments/{old['id']}/appeal", json={"reason": "It is mine."})
        assert answer.status_code == 202
        await server.service.queue.wait(answer.json()["id"], 20)
        (second,) = await reviews(server)
        assert second["judgment"] == answer.json()["id"]
        closed = await server.client.post(f"/v1/reviews/{first['id']}", json=EDITOR)
        assert (closed.status_code, closed.json()["error"]["kind"]) == (409, "superseded")
        # The old picture is gone, the new one is kept for the person.
        assert [path.stem for path in (server.service.settings.data_dir / "pictures").iterdir()] == [second["judgment"]]


async def test_a_case_waits_again_when_what_superseded_it_is_deleted(serve: Serve, photo: Path) -> None:
    async with serve(UNDECIDED) as server:
        old = await server.ask(photo)
        (first,) = await reviews(server)
        address = f"/v1/judgments/{old['id']}/appeal"
        for reason in ("It is mine.", "It is mine, I say."):
            answer = await server.client.post(address, data={"reason": reason}, files=files(photo))
            assert answer.status_code == 202
            await server.service.queue.wait(answer.json()["id"], 20)
            assert [one["id"] for one in await reviews(server)] != [first["id"]]
            assert (await server.client.delete(answer.headers["location"])).status_code == 204
            assert [one["id"] for one in await reviews(server)] == [first["id"]]
        assert "sixlens_reviews_waiting 1.0" in (await server.client.get("/metrics")).text
        decided = await server.client.post(f"/v1/reviews/{first['id']}", json=EDITOR)
        assert decided.json()["status"] == "decided"


async def test_an_appeal_takes_one_better_file(serve: Serve, photo: Path) -> None:
    async with serve(allow_urls=True) as server:
        old = await server.ask(photo)
        both = {"reason": "better", "url": "https://example.org/a.jpg"}
        answer = await server.client.post(f"/v1/judgments/{old['id']}/appeal", data=both, files=files(photo))
        assert (answer.status_code, answer.json()["error"]["kind"]) == (422, "invalid")
        assert "not both" in answer.json()["error"]["message"]


async def test_labels_outlive_the_judgments_and_tell_nothing_of_the_case(
    serve: Serve, photo: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.png"
    other.write_bytes(variant(1))

    async def retired(server: Running) -> list[dict[str, str]]:
        await server.service.store.run(
            lambda connection: connection.execute("UPDATE judgments SET created_at = created_at - 90000").rowcount
        )
        await server.service.purge()
        assert (await server.client.get("/v1/judgments")).json()["items"] == []
        return list(csv.DictReader(io.StringIO((await server.client.get("/v1/reviews/export")).text)))

    async with serve(UNDECIDED, retention_days=1) as server:
        judged = await decide_again(server, photo, "generated")
        await decide_again(server, other, "real")
        before = list(csv.DictReader(io.StringIO((await server.client.get("/v1/reviews/export")).text)))
        kept = await retired(server)
        assert kept == [row | {"judgment": "", "reference": ""} for row in before]
        # A later decision about the same file takes the place of the one before, also of one that is kept.
        await decide_again(server, photo, "real")
        assert [row["label"] for row in await retired(server)] == ["real", "real"]
        await decide_again(server, photo, "cannot_tell")
        assert [row["sha256"] for row in await retired(server)] == [kept[1]["sha256"]]
        await decide_again(server, photo, "generated")
        ident = (await server.client.get("/v1/judgments")).json()["items"][0]["id"]
        assert (await server.client.delete(f"/v1/judgments/{ident}")).status_code == 204
        assert judged["image"]["sha256"] not in (await server.client.get("/v1/reviews/export")).text


async def test_a_failed_appeal_leaves_the_old_judgment_standing(serve: Serve, photo: Path) -> None:
    async with serve() as server:
        old = await server.ask(photo)
        broken = {"image": ("photo.jpg", bytes_of(photo)[:300])}
        address = f"/v1/judgments/{old['id']}/appeal"
        answer = await server.client.post(address, data={"reason": "better"}, files=broken)
        await server.service.queue.wait(answer.json()["id"], 20)
        found = (await server.client.get(f"/v1/judgments/{old['id']}")).json()
        assert found["superseded_by"] is None
        assert found["appeals"][0]["status"] == "failed"
        whole = {"image": ("photo.jpg", bytes_of(photo))}
        assert (await server.client.post(address, data={"reason": "now"}, files=whole)).status_code == 202


async def test_a_person_can_be_asked_for(serve: Serve, photo: Path) -> None:
    async with serve() as server:
        assert (await server.ask(photo, review="true"))["review"]["reason"] == "asked"


async def test_the_drawn_share_is_about_what_was_asked_for(serve: Serve, photo: Path) -> None:
    async with serve(DECIDED) as server:
        verdict = Verdict.model_validate((await server.ask(photo))["verdict"])
    drawn = [name for name in map(str, range(5000)) if reason_for_review(verdict, name, 0.02) == ("random", True)]
    assert 60 < len(drawn) < 150
    assert drawn == [name for name in map(str, range(5000)) if reason_for_review(verdict, name, 0.02)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a third hand, clearly AI-generated", "a third hand, clearly …"),
        ("typical of synthetic pictures; no real photograph has it", "typical of … pictures; no … … has it"),
        ("realistic fur on a computer", "realistic fur on a computer"),
    ],
)
def test_blind_evidence_names_no_side(text: str, shown: str) -> None:
    (seen,) = blind_evidence([{"name": "hands", "phenomenon": text, "points_to": "generated", "category": "anatomy"}])
    assert seen == {"name": "hands", "phenomenon": shown, "category": "anatomy"}
