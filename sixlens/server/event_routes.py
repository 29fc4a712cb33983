"""`/v1/judgments/{id}/events`: what happens to a judgment, as it happens."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from sixlens.server import views
from sixlens.server.common import Id, Shared, errors
from sixlens.server.judgment_rows import Row
from sixlens.server.progress import Happening, Progress

router = APIRouter(prefix="/v1/judgments", tags=["judgments"])

HEARTBEAT_S = 15.0
_RETRY = "retry: 2000\n\n"


@router.get(
    "/{id}/events",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **errors(404, 422)},
)
async def events(ident: Id, service: Shared) -> Response:
    """Server-sent events: `status`, `prepared`, `reported`, and at last `decided` or `failed`."""
    # What is running is asked first: a judgment that ends in between is then followed to its end all the same.
    row = await service.judgment(ident)
    progress = service.queue.progress(row["id"])
    if progress is None:
        row = await service.judgment(ident)
    text = _text(row, progress, draining=service.queue.draining)
    return StreamingResponse(text, media_type="text/event-stream")


async def _text(row: Row, progress: Progress | None, *, draining: bool) -> AsyncIterator[str]:
    yield _RETRY
    if progress is None:
        for happening in _afterwards(row, draining=draining):
            yield _written(happening)
        return
    if row["status"] == "queued":
        yield _written(("status", {"status": "queued", "position": row["position"]}))
    async for happened in progress.follow(HEARTBEAT_S):
        yield ": still here\n\n" if happened is None else _written(happened)


def _afterwards(row: Row, *, draining: bool) -> list[Happening]:
    """The events of a judgment that is not under way here, made from what is kept of it."""
    if row["status"] == "failed":
        return [("failed", {"error": views.error_of(row)})]
    judgment = views.judgment(row)
    verdict = judgment["verdict"]
    if verdict is None:
        # It waits on disk for the next server; or this one is just about to take it up, so come again.
        return [("draining", {})] if draining else []
    return [
        ("status", {"status": "running", "position": None}),
        ("prepared", {"medium": verdict["medium"]}),
        *[("reported", {"report": report}) for report in verdict["reports"]],
        ("decided", {"judgment": judgment}),
    ]


def _written(happening: Happening) -> str:
    name, data = happening
    return f"event: {name}\ndata: {_json(data)}\n\n"


def _json(data: dict[str, Any]) -> str:
    """On one line, whatever is in it: a line break would end the field."""
    return json.dumps(data, ensure_ascii=True)
