"""What can be chosen, who is signed in, how the server does, and the page."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, JSONResponse, Response

import sixlens
from evals.html import base_css
from sixlens.page import verdict_css
from sixlens.server.common import Shared, errors
from sixlens.server.errors import ApiError, not_found
from sixlens.server.guard import COOKIE, SESSION_S, is_session, new_session
from sixlens.server.metrics import CONTENT_TYPE
from sixlens.server.queue import draining
from sixlens.server.records import Ensembles, Health, Session, SessionRequest

router = APIRouter()

STATIC = Path(__file__).parent / "static"


@router.get("/v1/ensembles", response_model=Ensembles, tags=["ensembles"])
async def ensembles(service: Shared) -> Response:
    """What can be chosen, who is asked, and where the picture goes: to be shown before a picture is sent."""
    settings = service.settings
    return JSONResponse(
        {
            "default": service.judges.default,
            "items": await service.judges.describe(),
            "allow_urls": settings.allow_urls,
            "max_bytes": settings.max_bytes,
            "max_deadline_s": settings.max_deadline_s,
            "keep_pictures": settings.keep_pictures,
            "retention_days": settings.retention_days,
            "review_share": settings.review_share,
            "version": sixlens.__version__,
        }
    )


@router.get("/v1/session", response_model=Session, tags=["session"])
async def session(request: Request, service: Shared) -> Response:
    """Whether a token is needed, and whether this browser has shown it."""
    needed = service.settings.token is not None
    return JSONResponse(
        {"token_required": needed, "signed_in": not needed or is_session(service.settings, request.headers)}
    )


@router.post("/v1/session", status_code=204, responses=errors(401, 403, 422), tags=["session"])
async def sign_in(request: Request, given: SessionRequest, service: Shared) -> Response:
    """Keep the token's right in a cookie for twelve hours, so that pictures, reports and events work in a browser."""
    response = Response(status_code=204)
    if service.settings.token is None:
        return response
    if not service.settings.is_token(given.token):
        raise ApiError(401, "unauthorized", "This is not the token.")
    response.set_cookie(
        COOKIE,
        new_session(service.settings),
        max_age=SESSION_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


@router.delete("/v1/session", status_code=204, responses=errors(403), tags=["session"])
async def sign_out() -> Response:
    """Let the browser forget the cookie."""
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", response_model=Health, tags=["health"])
async def healthz() -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", response_model=Health, responses=errors(503), tags=["health"])
async def readyz(service: Shared) -> Response:
    """The server takes judgments in."""
    if service.queue.draining:
        raise draining()
    return JSONResponse({"status": "ready"})


@router.get("/metrics", response_class=Response, tags=["health"])
async def metrics(service: Shared) -> Response:
    """Counts and times for Prometheus."""
    return Response(service.metrics.text(), media_type=CONTENT_TYPE)


# What the page has in common with reports is not kept twice.
@router.get("/static/base.css", include_in_schema=False)
async def base_style() -> Response:
    """The style that all pages share."""
    return Response(base_css(), media_type="text/css")


@router.get("/static/verdict.css", include_in_schema=False)
async def verdict_style() -> Response:
    """The style of a verdict."""
    return Response(verdict_css(), media_type="text/css")


@router.head("/", include_in_schema=False)
@router.get("/", include_in_schema=False)
async def page() -> Response:
    """The page."""
    index = STATIC / "index.html"
    if not index.is_file():
        raise not_found("page")
    return FileResponse(index)
