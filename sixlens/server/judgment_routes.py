"""`/v1/judgments`: asking for judgments, reading them, listing them, appealing, deleting."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any, cast

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import FileResponse, JSONResponse, Response

from fusion.verdict import Verdict
from sixlens.server import judgment_rows as rows
from sixlens.server import views
from sixlens.server.common import (
    Chosen,
    Cursor,
    Format,
    Id,
    Limit,
    Shared,
    errors,
    next_cursor,
    position,
    stream,
)
from sixlens.server.errors import ApiError, status_of
from sixlens.server.judgment_rows import Filter, Row
from sixlens.server.openapi import APPEAL_BODY, JUDGMENT_BODY
from sixlens.server.records import Judgment, Judgments
from sixlens.server.service import Service, gone
from sixlens.server.settings import MAX_WAIT
from sixlens.server.submitting import Taken, earlier, take_appeal, take_in
from sixlens.server.upload import AppealRequest, JudgmentRequest, read_request

router = APIRouter(prefix="/v1/judgments", tags=["judgments"])

_PAGE = 50
_TOLD = {"description": "It is finished."}
_LATER = {"model": Judgment, "description": "It is not finished yet; see `Location`."}
_COLUMNS = (
    "id",
    "status",
    "created_at",
    "finished_at",
    "ensemble",
    "reference",
    "name",
    "sha256",
    "label",
    "undecided_because",
    "headline",
    "error",
    "decision",
    "decided_at",
    "supersedes",
    "superseded_by",
    "verdict_id",
    "config_sha256",
    "score",
    "p_generated",
    "cost",
)
_PREFERRED = re.compile(r"(?:^|[,;\s])wait\s*=\s*(\d{1,6})\b", re.IGNORECASE)


@router.post(
    "",
    response_model=Judgment,
    responses={200: _TOLD, 202: _LATER, **errors(400, 408, 413, 415, 422, 429, 503, 507)},
    openapi_extra=JUDGMENT_BODY,
)
async def ask(
    request: Request,
    service: Shared,
    wait: Annotated[float | None, Query(ge=0, le=MAX_WAIT, description="Seconds to wait for the verdict.")] = None,
    prefer: Annotated[str | None, Header(description="`wait=N`, as in RFC 7240.")] = None,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Response:
    """Ask for a judgment: of a picture that is sent, or of an address if this server fetches any."""
    asked_before = await earlier(service, idempotency_key)
    taken = await _taken(request, service, idempotency_key, with_place=not asked_before)
    await service.queue.wait(taken.id, _wait_seconds(wait, prefer))
    return await _answer(service, taken)


@router.get("", response_model=Judgments, responses=errors(422))
async def list_judgments(service: Shared, chosen: Chosen, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Judgments, newest first."""
    found = await service.store.run(rows.page, chosen, position(cursor), limit)
    items = [views.summary(row) for row in found]
    return JSONResponse({"items": items, "next_cursor": next_cursor(found, limit)})


@router.get("/export", response_class=Response, responses=errors(422))
async def export(service: Shared, chosen: Chosen, form: Format = "jsonl") -> Response:
    """Judgments as a file, newest first: whole ones as JSON lines, or the main columns as a table."""
    found = _whole(service, chosen)
    return stream(found if form == "jsonl" else _flat(found), form, _COLUMNS, "judgments")


@router.get("/{id}", response_model=Judgment, responses=errors(404, 422))
async def read(ident: Id, service: Shared) -> Response:
    """A judgment, finished or not."""
    return JSONResponse(views.judgment(await service.judgment(ident)))


@router.delete("/{id}", status_code=204, responses=errors(404, 422))
async def delete(ident: Id, service: Shared) -> Response:
    """Delete a judgment with its picture, its reviews and what people decided. If it is under way it is stopped."""
    row = await service.judgment(ident)
    await service.forget(row["id"])
    return Response(status_code=204)


@router.get("/{id}/verdict", response_model=Verdict, responses=errors(404, 409, 422))
async def verdict(ident: Id, service: Shared, download: bool = False) -> Response:
    """The verdict alone, as `sixlens judge --json` prints it."""
    row = _done(await service.judgment(ident))
    headers = {"Content-Disposition": f'attachment; filename="{row["id"]}.json"'} if download else {}
    return Response(row["verdict"], media_type="application/json", headers=headers)


@router.get("/{id}/picture", response_class=Response, responses=errors(404, 422))
async def picture(ident: Id, service: Shared) -> Response:
    """The original file, while it is kept."""
    row = await service.judgment(ident)
    path = service.pictures.path(row["id"], row["suffix"])
    if not row["kept"] or not await asyncio.to_thread(path.is_file):
        raise gone()
    # Never as a page of this server: no type is believed, and browsers are told to guess none.
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    return FileResponse(path, media_type=_media_type(row), headers=headers)


@router.post(
    "/{id}/appeal",
    status_code=202,
    response_model=Judgment,
    responses=errors(400, 404, 408, 409, 413, 415, 422, 429, 503, 507),
    openapi_extra=APPEAL_BODY,
)
async def appeal(ident: Id, request: Request, service: Shared) -> Response:
    """Appeal against a verdict, also a confident one, with a better file if there is one.

    The new judgment supersedes the old one when it is done; the old one stays as it is. A person looks at the new one.
    """
    async with AsyncExitStack() as stack:
        await _enter(service, stack)
        row = await service.judgment(ident)
        fields, upload = await read_request(request, AppealRequest, service.settings.max_bytes)
        stack.push_async_callback(upload.close)
        taken = await take_appeal(service, row, cast("AppealRequest", fields), upload)
    new = await service.judgment(taken.id)
    return JSONResponse(views.judgment(new), 202, {"Location": f"/v1/judgments/{taken.id}"})


async def _taken(request: Request, service: Service, key: str | None, *, with_place: bool) -> Taken:
    async with AsyncExitStack() as stack:
        await _enter(service, stack, with_place=with_place)
        fields, upload = await read_request(request, JudgmentRequest, service.settings.max_bytes)
        stack.push_async_callback(upload.close)
        return await take_in(service, cast("JudgmentRequest", fields), upload, key)


async def _enter(service: Service, stack: AsyncExitStack, *, with_place: bool = True) -> None:
    """Take a place in the queue and the right to send a body.

    Raises:
        ApiError: there is no place.
    """
    if with_place:
        stack.enter_context(service.queue.place())
    await stack.enter_async_context(service.uploads)


def _wait_seconds(wait: float | None, prefer: str | None) -> float:
    if wait is not None:
        return wait
    found = _PREFERRED.search(prefer or "")
    return min(float(found[1]), MAX_WAIT) if found else 0.0


async def _answer(service: Service, taken: Taken) -> Response:
    row = await service.judgment(taken.id)
    headers = {"Location": f"/v1/judgments/{taken.id}"}
    if taken.replayed:
        headers["Idempotent-Replayed"] = "true"
    if row["status"] == "failed":
        kind, message = row["error_kind"], row["error_message"]
        response = ApiError(status_of(kind), kind, message, more={"judgment": taken.id}).response()
        response.headers.update(headers)
        return response
    return JSONResponse(views.judgment(row), 200 if row["status"] == "done" else 202, headers)


def _done(row: Row) -> Row:
    if row["verdict"] is None:
        raise ApiError(409, "not_done", f"There is no verdict: the judgment is {row['status']}.")
    return row


def _media_type(row: Row) -> str:
    known = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
    known |= {".gif": "image/gif", ".avif": "image/avif"}
    return known.get(row["suffix"], "application/octet-stream")


async def _whole(service: Service, chosen: Filter) -> AsyncIterator[dict[str, Any]]:
    before = None
    while found := await service.store.run(rows.page, chosen, before, _PAGE, whole=True):
        for row in found:
            yield views.judgment(row)
        before = found[-1]["seq"]


async def _flat(judgments: AsyncIterator[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    async for one in judgments:
        verdict, decided, error = one["verdict"] or {}, one["decision"] or {}, one["error"] or {}
        yield one | {
            "name": one["image"]["name"],
            "sha256": one["image"]["sha256"],
            "error": error.get("kind"),
            "decision": decided.get("decision"),
            "decided_at": decided.get("decided_at"),
            "verdict_id": verdict.get("id"),
            "config_sha256": verdict.get("config_sha256"),
            "score": verdict.get("score"),
            "p_generated": verdict.get("p_generated"),
            "cost": verdict.get("usage", {}).get("cost"),
        }
