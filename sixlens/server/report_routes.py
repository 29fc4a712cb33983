"""`/v1/judgments/{id}/report`: the verdict as a page for people, the same that `sixlens judge --html` writes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from backends.errors import ImageError
from fusion.verdict import Verdict
from sixlens.page import PersonDecision, page_picture, verdict_page
from sixlens.server.common import Id, Shared, errors
from sixlens.server.errors import ApiError
from sixlens.server.guard import REPORT_POLICY
from sixlens.server.judgment_rows import Row
from sixlens.server.pictures import PictureFolder

router = APIRouter(prefix="/v1/judgments", tags=["judgments"])


@router.get("/{id}/report", response_class=HTMLResponse, responses=errors(404, 409, 422))
async def report(ident: Id, service: Shared, download: bool = False, include_private: bool = False) -> Response:
    """The verdict as one self-contained page. The picture is on it while it is kept."""
    row = await service.judgment(ident)
    if row["verdict"] is None:
        raise ApiError(409, "not_done", f"There is no verdict: the judgment is {row['status']}.")
    async with service.drawing:
        page = await asyncio.to_thread(_page, row, service.pictures, include_private=include_private)
    headers = {"Content-Security-Policy": REPORT_POLICY}
    if download:
        headers["Content-Disposition"] = f'attachment; filename="{row["id"]}.html"'
    return HTMLResponse(page, headers=headers)


def _page(row: Row, pictures: PictureFolder, *, include_private: bool) -> str:
    verdict = Verdict.model_validate_json(row["verdict"])
    decided = _decision(row["decisions"][-1]) if row["decisions"] else None
    return verdict_page(
        verdict,
        _picture(row, pictures),
        include_private=include_private,
        decision=decided,
        superseded_by=row["superseded_by"],
    )


def _picture(row: Row, pictures: PictureFolder) -> bytes | None:
    if not row["kept"]:
        return None
    try:
        with pictures.load(row["id"], row["suffix"], row["name"]) as image:
            return page_picture(image)
    except ImageError:
        # It was deleted a moment ago; the page does without.
        return None


def _decision(row: dict[str, Any]) -> PersonDecision:
    label = "cannot tell" if row["decision"] == "cannot_tell" else row["decision"]
    at = datetime.fromtimestamp(row["decided_at"], UTC)
    return PersonDecision(label=label, note=row["note"], at=at, reviewer=row["reviewer"] or None)
