"""The application: routes, errors and the guard put together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

import sixlens
from backends.backend import Backend
from orchestrator.ensemble import Ensemble
from sixlens.server import event_routes, judgment_routes, report_routes, review_routes, system_routes
from sixlens.server.errors import ApiError, DamagedError, StorageError
from sixlens.server.guard import Guard
from sixlens.server.openapi import complete
from sixlens.server.service import Service
from sixlens.server.settings import ServerSettings
from sixlens.server.upload import invalid

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

log = logging.getLogger("sixlens")

_GONE = 499
"""What proxies write down for a client that went away before its answer."""
_KINDS: Mapping[int, str] = {404: "not_found", 405: "method_not_allowed", 408: "too_slow", 413: "too_large"}


def create_app(
    settings: ServerSettings,
    ensembles: Sequence[Ensemble],
    backends: Mapping[str, Backend] | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """The server as an ASGI application. Nothing is opened before it starts.

    Args:
        settings: of the server.
        ensembles: what can be chosen; the first is the default.
        backends: backends of your own, used in place of the specs that they are given under.
        tracer_provider: OpenTelemetry's, for traces of the judging; None for none.
    """
    service = Service(settings, ensembles, backends, tracer_provider)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service:
            yield

    app = _Application(
        title="sixlens",
        version=sixlens.__version__,
        description="Judges whether a picture is a photograph or AI-generated, and says why. An estimate, not proof.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        # A path with a slash too many does not exist; a redirect would lose the body.
        redirect_slashes=False,
    )
    app.state.service = service
    # `export` before the ids that it could be taken for.
    for routes in (judgment_routes, event_routes, report_routes, review_routes, system_routes):
        app.include_router(routes.router)
    app.mount("/static", StaticFiles(directory=system_routes.STATIC, check_dir=False), name="static")
    app.add_exception_handler(ApiError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(StorageError, _stuck)
    app.add_exception_handler(DamagedError, _damaged)
    app.add_exception_handler(Exception, _fault)
    return app


class _Application(FastAPI):
    """Stands behind the guard, and says in OpenAPI what FastAPI leaves out: examples with nulls in them."""

    def build_middleware_stack(self) -> ASGIApp:
        """Everything that a request passes through."""
        service: Service = self.state.service
        # Around what answers for faults in the program too, which middleware that is added lies within.
        return Guard(super().build_middleware_stack(), service.settings, service.metrics)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        document = super().openapi()
        complete(document)
        return document


async def _refused(_: Request, error: Exception) -> Response:
    return cast("ApiError", error).response()


async def _invalid(_: Request, error: Exception) -> Response:
    return invalid(cast("RequestValidationError", error).errors()).response()


async def _http(_: Request, error: Exception) -> Response:
    raised = cast("HTTPException", error)
    kind = _KINDS.get(raised.status_code, "bad_request" if raised.status_code < 500 else "program")
    response = ApiError(raised.status_code, kind, _words(raised)).response()
    response.headers.update(raised.headers or {})
    return response


def _words(raised: HTTPException) -> str:
    """What a router refuses with, for people. What comes with words of its own keeps them."""
    if raised.detail != HTTPStatus(raised.status_code).phrase:
        return str(raised.detail)
    if raised.status_code == HTTPStatus.NOT_FOUND:
        return "There is no such address; GET /v1/openapi.json lists those that there are."
    if raised.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (raised.headers or {}).get("Allow", "GET")
        return f"This address does not take that method, only {allowed}."
    return f"{raised.detail}."


async def _gone(_: Request, __: Exception) -> Response:
    # Nobody reads this; it is only counted.
    return Response(status_code=_GONE)


async def _stuck(request: Request, error: Exception) -> Response:
    _note(request, error)
    return ApiError(503, "storage", str(error), retry_after=10).response()


async def _damaged(request: Request, error: Exception) -> Response:
    _note(request, error)
    return ApiError(500, "configuration", str(error)).response()


def _note(request: Request, error: Exception) -> None:
    log.error("%s", error)
    service: Service = request.app.state.service
    service.metrics.storage.inc()


async def _fault(_: Request, error: Exception) -> Response:
    message = f"A fault in the program ({type(error).__name__}); the server's log has the details."
    return ApiError(500, "program", message).response()
