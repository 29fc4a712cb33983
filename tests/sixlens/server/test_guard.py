from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from backends.errors import ConfigError
from sixlens.server.guard import COOKIE, HEADERS
from sixlens.server.settings import ServerSettings, read_token
from tests.sixlens.server.conftest import Serve

TOKEN = "correct-horse-battery"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def test_every_response_carries_the_headers(serve: Serve) -> None:
    async with serve(None) as server:
        for path in ("/healthz", "/v1/judgments", "/v1/nothing", "/static/nothing.js", "/v1/openapi.json"):
            answer = await server.client.get(path)
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS, path
        assert "'unsafe" not in HEADERS["Content-Security-Policy"]


async def test_a_fault_in_the_program_is_counted_and_carries_the_headers(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise KeyError("x")

    async with serve(None) as server:
        monkeypatch.setattr(server.service, "judgment", broken)
        app = server.client._transport.app  # type: ignore[attr-defined]
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
            answer = await client.get("/v1/judgments/x")
            assert (answer.status_code, answer.json()["error"]["kind"]) == (500, "program")
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS
            counted = (await client.get("/metrics")).text
        assert 'requests_total{method="GET",route="/v1/judgments/{id}",status="500"} 1.0' in counted


async def test_probes_may_call_the_server_by_any_name(serve: Serve) -> None:
    async with serve(None, token=TOKEN) as server:
        for path in ("/healthz", "/readyz"):
            answer = await server.client.get(path, headers={"Host": "10.0.0.7:8080"})
            assert answer.status_code == 200
        assert (await server.client.get("/metrics", headers={"Host": "10.0.0.7:8080"})).status_code == 421


async def test_a_refused_body_is_taken_in_and_ends_the_connection(serve: Serve) -> None:
    taken = 0

    async def sent() -> Any:
        nonlocal taken
        for _ in range(4):
            taken += 1
            yield bytes(1000)

    headers = {"Content-Length": "4000", "Content-Type": "application/json"}
    async with serve(None, token=TOKEN) as server:
        refused = await server.client.post("/v1/judgments", content=sent(), headers=headers)
        assert (refused.status_code, refused.headers["connection"], taken) == (401, "close", 4)
        read = await server.client.post("/v1/judgments", json={}, headers=BEARER)
        assert (read.status_code, "connection" in read.headers) == (422, False)


async def test_errors_have_one_shape(serve: Serve) -> None:
    async with serve(None) as server:
        for method, path, status in (
            ("GET", "/v1/nothing", 404),
            ("PUT", "/v1/judgments", 405),
            ("GET", "/v1/judgments/x", 404),
            ("GET", "/v1/judgments/", 404),
            ("GET", "/static/../settings.py", 404),
        ):
            answer = await server.client.request(method, path)
            assert answer.status_code == status, path
            assert set(answer.json()["error"]) >= {"kind", "message"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:1234", 200),
        ("127.0.0.1:8080", 200),
        ("[::1]:8080", 200),
        ("proxy.example", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("", 421),
        ("127.0.0.1.evil.example:8080", 421),
    ],
)
async def test_the_name_of_the_server_is_checked(serve: Serve, host: str, status: int) -> None:
    async with serve(None, allowed_hosts=("Proxy.example",)) as server:
        answer = await server.client.get("/v1/judgments", headers={"Host": host})
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"Origin": "http://localhost:8080"}, False),
        ({"Origin": "https://localhost:8080", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Origin": "http://localhost:9999"}, True),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
    ],
)
async def test_other_sites_change_nothing(serve: Serve, headers: dict[str, str], refused: bool) -> None:
    async with serve(None) as server:
        for method, path in (("POST", "/v1/judgments"), ("DELETE", "/v1/judgments/x"), ("POST", "/v1/reviews/x")):
            content = b"{}" if method == "POST" else None
            answer = await server.client.request(
                method, path, headers={"Content-Type": "application/json", **headers}, content=content
            )
            assert (answer.status_code == 403) == refused
            assert (answer.json()["error"]["kind"] == "cross_site") == refused


async def test_a_token_is_required_everywhere_but_where_nothing_is(serve: Serve) -> None:
    async with serve(None, token=TOKEN) as server:
        for path in ("/v1/judgments", "/v1/ensembles", "/metrics", "/v1/openapi.json", "/v1/reviews/export"):
            for headers in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Basic {TOKEN}"}):
                answer = await server.client.get(path, headers=headers)
                assert answer.status_code == 401, path
                assert answer.headers["www-authenticate"] == "Bearer"
                assert TOKEN not in answer.text
            assert (await server.client.get(path, headers=BEARER)).status_code == 200, path
        for path in ("/healthz", "/readyz", "/v1/session"):
            assert (await server.client.get(path)).status_code == 200, path
        assert (await server.client.get("/healthz/../v1/judgments")).status_code == 401
        assert (await server.client.get("//v1/judgments")).status_code in (401, 404)


async def test_a_session_stands_for_the_token(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(None, token=TOKEN) as server:
        wrong = await server.client.post("/v1/session", json={"token": "wrong"})
        assert (wrong.status_code, wrong.json()["error"]["kind"]) == (401, "unauthorized")
        assert (await server.client.get("/v1/session")).json() == {"token_required": True, "signed_in": False}
        right = await server.client.post("/v1/session", json={"token": TOKEN})
        assert right.status_code == 204
        cookie = right.headers["set-cookie"]
        assert TOKEN not in cookie
        assert all(word in cookie for word in ("HttpOnly", "SameSite=strict"))
        value = cookie.partition("=")[2].partition(";")[0]
        server.client.cookies.clear()

        async def status(cookie: str) -> int:
            answer = await server.client.get("/v1/judgments", headers={"Cookie": f"{COOKIE}={cookie}"})
            return int(answer.status_code)

        assert await status(value) == 200
        until, _, seal = value.partition(".")
        for tampered in (f"{int(until) + 1}.{seal}", f"{until}.{seal[:-1]}", f"{until}.", "", ".", "x.y", f"{until}"):
            assert await status(tampered) == 401, tampered
        monkeypatch.setattr("sixlens.server.guard.time.time", lambda: float(until) + 1)
        assert await status(value) == 401


async def test_small_requests_are_bounded(serve: Serve) -> None:
    async with serve(None) as server:

        async def endless() -> Any:
            while True:
                yield bytes(65536)

        for content in (bytes(70_000), endless()):
            answer = await server.client.post(
                "/v1/session", content=content, headers={"Content-Type": "application/json"}
            )
            assert (answer.status_code, answer.json()["error"]["kind"]) == (413, "too_large")


def test_another_address_needs_a_token(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "192.168.1.4", "example.org"):
        with pytest.raises(ConfigError, match="token is required"):
            ServerSettings(data_dir=tmp_path, host=host)
        assert ServerSettings(data_dir=tmp_path, host=host, token=TOKEN).hosts is None
    for host in ("127.0.0.1", "127.0.0.9", "::1", "localhost"):
        assert ServerSettings(data_dir=tmp_path, host=host).hosts is not None
    with pytest.raises(ConfigError, match="16 printable"):
        ServerSettings(data_dir=tmp_path, token="short")
    assert TOKEN not in repr(ServerSettings(data_dir=tmp_path, token=TOKEN))


def test_the_token_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\nmore\n", "utf-8")
    assert read_token(file, {"SIXLENS_TOKEN": "other"}) == TOKEN
    assert read_token(None, {"SIXLENS_TOKEN": TOKEN}) == TOKEN
    assert read_token(None, {}) is None
    file.write_text("\n", "utf-8")
    with pytest.raises(ConfigError, match="empty"):
        read_token(file, {})
    with pytest.raises(ConfigError, match="cannot be read"):
        read_token(tmp_path / "none", {})


@pytest.mark.parametrize(
    "change",
    [
        {"concurrency": 0},
        {"queue": -1},
        {"max_bytes": 1},
        {"max_pixels": 200_000_000},
        {"retention_days": 0},
        {"review_share": 1.1},
        {"port": 70000},
    ],
)
def test_settings_out_of_range_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="it must be"):
        ServerSettings(data_dir=tmp_path, **change)
