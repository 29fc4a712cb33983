from __future__ import annotations

from pathlib import Path

import pytest

from evals.html import base_css
from orchestrator.config import Overrides
from sixlens.page import verdict_css
from tests.sixlens.server.conftest import Serve


async def test_the_shared_style_sheets_are_the_reports_own(serve: Serve) -> None:
    async with serve(None, token="a-token-for-the-tests-0123456789") as server:
        for name, style in (("base", base_css()), ("verdict", verdict_css())):
            answer = await server.client.get(f"/static/{name}.css")
            assert (answer.status_code, answer.text) == (200, style)
            assert answer.headers["content-type"].startswith("text/css")
        assert (await server.client.get("/static/style.css")).status_code == 200


async def test_what_can_be_chosen_names_no_folder(serve: Serve, tmp_path: Path) -> None:
    async with serve() as server:
        answer = await server.client.get("/v1/ensembles")
        specs = {one["spec"] for item in answer.json()["items"] for one in item["backends"]}
        assert specs == {"scripted:…/served.yaml"}
        assert str(tmp_path) not in answer.text


async def test_a_folder_with_spaces_is_cut_whole(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "J. Doe" / "my scripts"
    folder.mkdir(parents=True)
    script = folder / "a script.yaml"
    script.write_text('model: script-1\nrules:\n  - {text: "Verdict: real"}\n', "utf-8")
    async with serve(None, ensembles=("six",), overrides=Overrides(f"scripted:{script}", None, ())) as server:
        (item,) = (await server.client.get("/v1/ensembles")).json()["items"]
        assert [one["spec"] for one in item["backends"]] == ["scripted:…/a script.yaml"]


async def test_what_is_asked_of_by_its_head_alone(serve: Serve) -> None:
    async with serve(None) as server:
        for address in ("/", "/healthz", "/readyz", "/static/style.css"):
            answer = await server.client.head(address)
            assert (answer.status_code, answer.content) == (200, b""), address


async def test_unknown_addresses_and_methods_say_where_to_look(serve: Serve) -> None:
    async with serve(None) as server:
        for address in ("/v1/judgement", "/static/none.css"):
            answer = await server.client.get(address)
            assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "not_found")
            assert "/v1/openapi.json" in answer.json()["error"]["message"]
        answer = await server.client.put("/v1/ensembles")
        assert (answer.status_code, answer.json()["error"]["kind"]) == (405, "method_not_allowed")
        assert answer.json()["error"]["message"] == "This address does not take that method, only GET."


@pytest.mark.parametrize(
    ("address", "sent", "media", "message"),
    [
        ("/v1/reviews/x", b'{"decision": "real"}', "application/x-www-form-urlencoded", "Content-Type: application/js"),
        ("/v1/reviews/x", b'{"decision": "real"}', None, "body: it is not read as JSON"),
        ("/v1/reviews/x", b"", "application/json", "body: it is not read as JSON"),
        ("/v1/reviews/x", b"{", "application/json", "body: it is not valid JSON"),
        ("/v1/reviews/x", b"[]", "application/json", "body: it has to be a JSON object"),
        ("/v1/reviews/x", b'{"decision": "real"}', "application/json", "reviewer: it is missing"),
        (
            "/v1/reviews/x",
            b'{"decision": "maybe", "reviewer": "A"}',
            "application/json",
            "decision: it has to be 'real'",
        ),
        ("/v1/session", b'{"token": "x", "foo": 1}', "application/json", "foo: there is no such field; GET /v1/open"),
        ("/v1/judgments", b'{"foo": 1}', "application/json", "foo: there is no such field; GET /v1/openapi.json"),
        ("/v1/judgments", b"[]", "application/json", "body: it has to be a JSON object"),
        (
            "/v1/judgments",
            b'{"url": "file:///etc"}',
            "application/json",
            "url: it has to begin with http:// or https://",
        ),
        ("/v1/judgments", b'{"deadline_s": 0}', "application/json", "deadline_s: it has to be more than 0"),
        ("/v1/judgments", b'{"deadline_s": "x"}', "application/json", "deadline_s: it has to be a number"),
        ("/v1/judgments?wait=500", b"{}", "application/json", "wait: it may be 120 at most"),
    ],
)
async def test_wrong_requests_are_told_in_words(
    serve: Serve, address: str, sent: bytes, media: str | None, message: str
) -> None:
    async with serve(None) as server:
        headers = {} if media is None else {"Content-Type": media}
        answer = await server.client.post(address, content=sent, headers=headers)
        assert answer.status_code == 422, answer.text
        error = answer.json()["error"]
        assert message in error["message"]
        assert error["message"] == f"{error['fields'][0]['field']}: {error['fields'][0]['message']}"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("since=yesterday", "since: it has to be a time with its zone, as in 2026-11-01T00:00:00Z"),
        ("since=2026-11-01T00:00:00", "since: it needs a time zone, as in 2026-11-01T00:00:00Z"),
        ("label=maybe", "label: it has to be 'generated', 'real' or 'undecided'"),
        ("limit=0", "limit: it has to be 1 at least"),
        ("limit=x", "limit: it has to be a whole number"),
    ],
)
async def test_wrong_filters_are_told_in_words(serve: Serve, query: str, message: str) -> None:
    async with serve(None) as server:
        answer = await server.client.get(f"/v1/judgments?{query}")
        assert answer.status_code == 422
        assert answer.json()["error"]["message"].startswith(message), answer.text
