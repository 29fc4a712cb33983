"""What stands before every route: who may ask, from where, and which headers every response carries."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Mapping
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sixlens.server.body import Body
from sixlens.server.errors import ApiError
from sixlens.server.metrics import Metrics
from sixlens.server.settings import ServerSettings
from sixlens.server.upload import ENVELOPE

log = logging.getLogger("sixlens")

COOKIE = "sixlens_session"
SESSION_S = 12 * 3600
SHORT = 64 * 1024
"""Bytes that a request without a picture may have."""
_PROBES = frozenset({"/healthz", "/readyz"})
"""What may be asked of under any name: probes call a server by its address, and there is nothing to be learnt."""
_OPEN = frozenset({"/", "/v1/session", "/favicon.ico"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
"""Of every response that does not say otherwise."""


class Guard:
    """The outermost layer of the server, so that every response is counted and has its headers.

    A response that begins before the request's body was read ends the connection, but not before the rest was taken in.

    Args:
        app: what it stands before.
        settings: of the server.
        metrics: where requests are counted.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = Body(receive, Headers(scope=scope), self._settings.body_s)
        closing = False

        async def send_guarded(message: Message) -> None:
            nonlocal closing
            if message["type"] == "http.response.start":
                body.answered, closing = True, body.unread
                self._begin(scope, message, closing=closing)
            if closing and message["type"] == "http.response.body" and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await body.drain(self._settings.max_bytes + ENVELOPE)
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        problem = self._problem(scope)
        served = self._app if problem is None else problem.response()
        await served(scope, body.receive, send_guarded)

    def _begin(self, scope: Scope, message: Message, *, closing: bool) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if closing:
            headers["Connection"] = "close"
        self._count(scope, message["status"])

    def _count(self, scope: Scope, status: int) -> None:
        # The pattern of the route: a path has ids in it, of which there is no end.
        route = getattr(scope.get("route"), "path", "none")
        log.debug("%s %s %d", scope["method"], scope["path"], status)
        method = scope["method"] if scope["method"] in ("GET", "POST", "DELETE", "HEAD") else "other"
        self._metrics.requests.labels(method, route, str(status)).inc()

    def _problem(self, scope: Scope) -> ApiError | None:
        headers = Headers(scope=scope)
        if scope["path"] in _PROBES:
            return None
        hosts = self._settings.hosts
        if hosts is not None and host_name(headers.get("host", "")) not in hosts:
            message = "This server is not known by that name. Start it with --allowed-host NAME to allow one."
            return ApiError(421, "wrong_host", message)
        if scope["method"] not in _SAFE and _from_elsewhere(headers):
            return ApiError(403, "cross_site", "A page of another site may not change anything here.")
        if scope["method"] == "POST" and not _is_upload(scope["path"]) and not _is_short(headers):
            return ApiError(413, "too_large", f"A request to this address has a length, of at most {SHORT} bytes.")
        if self._settings.token is None or _is_open(scope["path"]) or self._is_known(headers):
            return None
        return ApiError(401, "unauthorized", "Send the token: `Authorization: Bearer TOKEN`.")

    def _is_known(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._settings.is_token(token.strip()):
            return True
        return is_session(self._settings, headers)


def host_name(host: str) -> str:
    """The name in a Host header, without the port, in lower case."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()


def new_session(settings: ServerSettings) -> str:
    """The value of a cookie that stands for the token for a while. It tells nothing of the token."""
    until = str(int(time.time()) + SESSION_S)
    return f"{until}.{_seal(settings, until)}"


def is_session(settings: ServerSettings, headers: Headers) -> bool:
    """Whether a request carries such a cookie, whose time is not over."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return False
    until, _, seal = ("" if morsel is None else morsel.value).partition(".")
    if not (until.isascii() and until.isdigit() and len(until) < 20 and seal.isascii()):
        return False
    return hmac.compare_digest(seal, _seal(settings, until)) and int(until) > time.time()


def _seal(settings: ServerSettings, until: str) -> str:
    return hmac.new((settings.token or "").encode(), b"session " + until.encode(), sha256).hexdigest()


def _is_open(path: str) -> bool:
    return path in _OPEN or path.startswith("/static/")


def _is_upload(path: str) -> bool:
    """Whether the route reads its body by hand, within limits of its own."""
    return path.startswith("/v1/judgments")


def _is_short(headers: Headers) -> bool:
    """Whether the request says its length, and that it is small; what a server reads is bounded by it."""
    length = headers.get("content-length", "")
    return length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= SHORT


def _from_elsewhere(headers: Headers) -> bool:
    """Whether a browser sends this for a page of another site. Programs send neither header."""
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return True
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower()
