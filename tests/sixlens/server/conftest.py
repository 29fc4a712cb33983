from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from orchestrator.config import Overrides
from sixlens.server.application import create_app
from sixlens.server.judges import load_ensembles
from sixlens.server.service import Service
from sixlens.server.settings import ServerSettings

DECIDED = """
model: script-1
rules:
  - {paradigm: prepare, text: "subject: small boat\\nmedium: photograph"}
  - {purpose: text, text: "a hull; a sail"}
  - step: verdict
    usage: {input_tokens: 1000, output_tokens: 100}
    answer: &real
      reasoning: The blur grows with the distance. It fits a lens.
      observations:
        - {name: lens blur, phenomenon: the background blurs steadily, reasoning: lenses do that, severity: 3,
           points_to: real, category: optics, ordinary_cause: "a lens", region: null}
      label: real
      certainty: 80
"""
DISSENT = DECIDED.replace(
    "rules:\n",
    """rules:
  - {paradigm: structural, step: verdict, text: "The rigging has no end.\\nVerdict: generated"}
""",
    1,
)
UNDECIDED = """
model: script-1
rules:
  - {paradigm: prepare, text: "subject: small boat\\nmedium: photograph"}
  - {purpose: text, text: "a hull; a sail"}
  - {text: "Nothing unusual.\\nVerdict: undecided"}
"""
SILENT = """
model: script-1
rules:
  - {fault: auth}
"""


def bytes_of(path: Path) -> bytes:
    return path.read_bytes()


class Running:
    """A server in this process, and a client of it."""

    def __init__(self, service: Service, client: httpx.AsyncClient) -> None:
        self.service = service
        self.client = client

    async def ask(self, photo: Path, *, wait: float = 20, **fields: str) -> dict[str, Any]:
        """A judgment, finished."""
        files = {"image": (photo.name, bytes_of(photo))}
        answer = await self.client.post(f"/v1/judgments?wait={wait:g}", files=files, data=fields)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


Serve = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Opens a server on a scripted backend; stopped and opened again it is the same one."""

    @asynccontextmanager
    async def opened(
        script: str | None = DECIDED,
        *,
        sets: tuple[str, ...] = (),
        headers: dict[str, str] | None = None,
        tracer_provider: Any = None,
        **changes: Any,
    ) -> AsyncIterator[Running]:
        backend = None
        if script is not None:
            (tmp_path / "served.yaml").write_text(script, "utf-8")
            backend = f"scripted:{tmp_path / 'served.yaml'}"
        changes.setdefault("data_dir", tmp_path / "data")
        settings = ServerSettings(
            **{"overrides": Overrides(backend, None, sets), "review_share": 0.0, "cache": False} | changes
        )
        app = create_app(settings, load_ensembles(settings, {}), tracer_provider=tracer_provider)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://localhost:8080", headers=headers) as client,
        ):
            yield Running(app.state.service, client)

    return opened


__all__ = ["DECIDED", "DISSENT", "SILENT", "UNDECIDED", "Running", "Serve"]
