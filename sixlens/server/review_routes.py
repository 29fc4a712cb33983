"""`/v1/reviews`: the cases that wait for a person, and what people decided."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Literal

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from backends.errors import ImageError
from sixlens.server import review_rows, views
from sixlens.server.common import Cursor, Format, Limit, ReviewId, Shared, errors, next_cursor, position, stream
from sixlens.server.errors import ApiError, not_found
from sixlens.server.pictures import PictureFolder
from sixlens.server.records import DecisionRequest, Review, Reviews
from sixlens.server.review_rows import NewDecision, Row
from sixlens.server.service import Service, gone

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])

MAX_EDGE, QUALITY = 2048, 90
_PAGE = 200
_COLUMNS = (
    "sha256",
    "label",
    "judgment",
    "reference",
    "ensemble",
    "config_sha256",
    "tool_label",
    "blind",
    "reason",
    "decided_at",
)


@router.get("", response_model=Reviews, responses=errors(422))
async def list_reviews(
    service: Shared,
    status: Literal["waiting", "decided", "all"] = "waiting",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Cases for people, oldest first. Blind ones come without the tool's label."""
    wanted = None if status == "all" else status
    found, waiting = await service.store.run(review_rows.listing, wanted, position(cursor), limit)
    items = [views.review(row) for row in found]
    return JSONResponse({"items": items, "next_cursor": next_cursor(found, limit), "waiting": waiting})


@router.get("/export", response_class=Response, responses=errors(422))
async def export(service: Shared, form: Format = "csv") -> Response:
    """What people decided, as labels: the latest decision about each file, where it is for a side."""
    return stream(_labels(service), form, _COLUMNS, "labels")


@router.get("/{id}", response_model=Review, responses=errors(404, 422))
async def read(ident: ReviewId, service: Shared) -> Response:
    """A case; a blind one without the tool's label, until a person has decided."""
    return JSONResponse(views.review(await _review(service, ident)))


@router.post("/{id}", response_model=Review, responses=errors(404, 409, 422))
async def decide(ident: ReviewId, decision: DecisionRequest, service: Shared) -> Response:
    """Decide a case. A further decision is added to those before; the latest counts."""
    new = NewDecision(decision.decision, decision.note, decision.reviewer, time.time())
    row = await service.store.run(review_rows.decide, ident, new)
    if row is None:
        raise not_found("review")
    if row["status"] == "closed":
        raise ApiError(409, "superseded", "The case was closed: a newer judgment stands in its place.")
    service.metrics.decisions.labels(decision.decision, str(row["decisions"][-1]["blind"] == 1).lower()).inc()
    await service.queue.picture_done_with(row["judgment"], row["suffix"])
    return JSONResponse(views.review(await _review(service, ident)))


@router.get("/{id}/picture", response_class=Response, responses=errors(404, 422))
async def picture(ident: ReviewId, service: Shared) -> Response:
    """The picture, upright, as a JPEG without metadata: what the file says of itself may tell the label."""
    row = await _review(service, ident)
    if not row["kept"]:
        raise gone()
    async with service.drawing:
        data = await asyncio.to_thread(_drawn, row, service.pictures)
    if data is None:
        raise gone()
    return Response(data, media_type="image/jpeg")


async def _review(service: Service, ident: str) -> Row:
    row = await service.store.run(review_rows.read, ident)
    if row is None:
        raise not_found("review")
    return row


def _drawn(row: Row, pictures: PictureFolder) -> bytes | None:
    try:
        with pictures.load(row["judgment"], row["suffix"], row["name"]) as image:
            return image.deliver(MAX_EDGE, QUALITY).data
    except ImageError:
        return None


async def _labels(service: Service) -> AsyncIterator[dict[str, Any]]:
    after = 0
    while found := await service.store.run(review_rows.labels, after, _PAGE):
        for row in found:
            after = row.pop("seq")
            yield row | {"blind": bool(row["blind"]), "decided_at": views.time_text(row["decided_at"])}
