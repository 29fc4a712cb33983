from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sixlens.server.records import Ensembles, Judgment
from tests.sixlens.server.conftest import DISSENT, Serve, bytes_of
from tests.sixlens.server.test_process import Start, post, start, wait_for

__all__ = ["start"]


async def test_the_document_has_every_route_and_examples(serve: Serve) -> None:
    async with serve(None) as server:
        document = (await server.client.get("/v1/openapi.json")).json()
    paths = document["paths"]
    assert set(paths) == {
        "/healthz",
        "/metrics",
        "/readyz",
        "/v1/ensembles",
        "/v1/judgments",
        "/v1/judgments/export",
        "/v1/judgments/{id}",
        "/v1/judgments/{id}/appeal",
        "/v1/judgments/{id}/events",
        "/v1/judgments/{id}/picture",
        "/v1/judgments/{id}/report",
        "/v1/judgments/{id}/verdict",
        "/v1/reviews",
        "/v1/reviews/export",
        "/v1/reviews/{id}",
        "/v1/reviews/{id}/picture",
        "/v1/session",
    }
    body = paths["/v1/judgments"]["post"]["requestBody"]["content"]
    assert set(body) == {"multipart/form-data", "application/json"}
    assert all(media["examples"] for media in body.values())
    asked = paths["/v1/judgments"]["post"]["responses"]["202"]["content"]["application/json"]
    Judgment.model_validate(asked["example"])
    listed = paths["/v1/ensembles"]["get"]["responses"]["200"]["content"]["application/json"]
    Ensembles.model_validate(listed["example"])
    for methods in paths.values():
        for operation in methods.values():
            assert operation.get("description"), operation["operationId"]
    assert "http" not in str(document.get("servers", ""))


async def test_what_is_answered_is_what_is_documented(serve: Serve, photo: Path) -> None:
    async with serve(DISSENT) as server:
        document = (await server.client.get("/v1/openapi.json")).json()
        judgment = await server.ask(photo)
        review = (await server.client.get("/v1/reviews")).json()["items"][0]["id"]
        for path, template in (
            (f"/v1/judgments/{judgment['id']}", "/v1/judgments/{id}"),
            (f"/v1/judgments/{judgment['id']}/verdict", "/v1/judgments/{id}/verdict"),
            ("/v1/judgments", "/v1/judgments"),
            ("/v1/ensembles", "/v1/ensembles"),
            ("/v1/session", "/v1/session"),
            ("/v1/reviews", "/v1/reviews"),
            (f"/v1/reviews/{review}", "/v1/reviews/{id}"),
        ):
            content = document["paths"][template]["get"]["responses"]["200"]["content"]
            schema = content["application/json"]["schema"] | {"components": document["components"]}
            jsonschema.validate((await server.client.get(path)).json(), schema)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_no_request_makes_a_server_error(start: Start, photo: Path) -> None:
    schemathesis = pytest.importorskip("schemathesis")
    hypothesis = pytest.importorskip("hypothesis")
    server = start(DISSENT, "--allow-urls", "--queue", "100000")
    with server.client() as client:
        judgment = wait_for(client, post(client, 1)["id"])["id"]
        review = client.get("/v1/reviews").json()["items"][0]["id"]
        schema = schemathesis.openapi.from_url(f"{server.address}/v1/openapi.json")
        tried = 0

        @hypothesis.settings(
            max_examples=40,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        )
        @hypothesis.given(data=hypothesis.strategies.data())
        def attempt(operation: Any, data: Any) -> None:
            nonlocal tried
            case = data.draw(operation.as_strategy())
            # Half of the time something that exists is meant.
            if "id" in (case.path_parameters or {}) and data.draw(hypothesis.strategies.booleans()):
                case.path_parameters["id"] = review if "/reviews/" in operation.path else judgment
            if operation.method.upper() == "DELETE" and case.path_parameters.get("id") == judgment:
                return
            if "wait" in (case.query or {}):
                case.query["wait"] = 0
            response = case.call()
            tried += 1
            # 503 and 507 are said on purpose; a fault in the program is 500.
            assert response.status_code != 500, (case.as_curl_command(), response.text)
            if response.status_code >= 400:
                assert response.json()["error"]["kind"], response.text

        for found in schema.get_all_operations():
            attempt(found.ok())
        assert tried > 300
        whole = client.post("/v1/judgments?wait=60", files={"image": ("p.jpg", io.BytesIO(bytes_of(photo)))})
        assert whole.status_code == 200
    assert "Traceback" not in server.told
