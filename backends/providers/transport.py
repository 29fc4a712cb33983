"""HTTP as the providers use it: the client, which headers go out, and what the headers that come back say.

Proxies and certificate files of the environment (`HTTPS_PROXY`, `SSL_CERT_FILE`…) count for hosts elsewhere and never
for this machine. Redirects are not followed: a picture goes where the user said, or nowhere. An answer has an end.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from backends.completion import RateState
from backends.connections import Connections, SharedClient
from backends.providers.address import Address
from backends.settings import BackendSettings

_SENT = frozenset({"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"})
MAX_BYTES = 32 * 1024 * 1024
_PIECE = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class _Bounded(httpx2.AsyncByteStream):
    """A body that ends in an error when it grows beyond all measure."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > MAX_BYTES:
                raise httpx2.DecodingError(f"the answer is larger than {MAX_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def open_client(
    address: Address,
    settings: BackendSettings,
    key: str | None,
    *,
    also_sent: tuple[str, ...] = (),
    connections: Connections | None = None,
) -> SharedClient:
    """A client for one server, shared with the backends of `connections` that would open the same.

    The SDKs take further headers from the environment (custom headers, organisation, even another key), which must not
    reach a server they were not meant for: headers that are neither needed nor in `also_sent` are taken out, and the
    authorization is the one of `key`, or none.
    """
    connections = connections or Connections()
    limits = (settings.attempt_seconds, settings.connect_seconds, settings.max_connections)
    return connections.client(
        (address.url, key, limits, also_sent),
        lambda: _new_client(address, settings, key, _SENT | frozenset(also_sent), connections.transport),
    )


def _new_client(
    address: Address,
    settings: BackendSettings,
    key: str | None,
    sent: frozenset[str],
    transport: httpx2.AsyncBaseTransport | None,
) -> httpx2.AsyncClient:
    async def only_ours(request: httpx2.Request) -> None:
        for name in list(request.headers):
            if name not in sent and not name.startswith("x-stainless-"):
                del request.headers[name]
        if key:
            request.headers["authorization"] = f"Bearer {key}"

    async def not_endless(response: httpx2.Response) -> None:
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Bounded(response.stream)

    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(settings.attempt_seconds, connect=settings.connect_seconds, pool=None),
        limits=httpx2.Limits(
            max_connections=settings.max_connections, max_keepalive_connections=settings.max_connections
        ),
        trust_env=not address.loopback,
        follow_redirects=False,
        event_hooks={"request": [only_ours], "response": [not_endless]},
        transport=transport,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds after which to ask again: `retry-after-ms`, or `retry-after` in seconds or as a date."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None or text is None:
        return None if seconds is None else max(0.0, seconds)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - time.time())


def rate_state(headers: Mapping[str, str]) -> RateState | None:
    """What the rate headers of either protocol say; None when there are none."""
    if not any("ratelimit" in name.lower() for name in headers):
        return None
    state = RateState(
        limit_requests=_count(headers, "x-ratelimit-limit-requests", "anthropic-ratelimit-requests-limit"),
        remaining_requests=_count(headers, "x-ratelimit-remaining-requests", "anthropic-ratelimit-requests-remaining"),
        reset_requests=_reset(headers, "x-ratelimit-reset-requests", "anthropic-ratelimit-requests-reset"),
        limit_tokens=_count(headers, "x-ratelimit-limit-tokens", "anthropic-ratelimit-tokens-limit"),
        remaining_tokens=_count(headers, "x-ratelimit-remaining-tokens", "anthropic-ratelimit-tokens-remaining"),
        reset_tokens=_reset(headers, "x-ratelimit-reset-tokens", "anthropic-ratelimit-tokens-reset"),
    )
    return None if state == RateState() else state


def request_id(headers: Mapping[str, str]) -> str | None:
    """The server's name for the request, if it gave one."""
    return headers.get("x-request-id") or headers.get("request-id")


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((headers[name] for name in names if name in headers), None)


def _number(text: str | None) -> float | None:
    """A finite number, or None."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) < 1e12 else None


def _count(headers: Mapping[str, str], *names: str) -> int | None:
    value = _number(_first(headers, names))
    return None if value is None or value < 0 else int(value)


def _reset(headers: Mapping[str, str], *names: str) -> float | None:
    """Seconds from now: `6m0s` or `17ms` as OpenAI writes it, plain seconds, or a moment as Anthropic writes it."""
    text = _first(headers, names)
    if text is None:
        return None
    seconds = _number(text)
    if seconds is not None:
        return max(0.0, seconds)
    pieces = _PIECE.findall(text)
    if pieces and "".join(number + unit for number, unit in pieces) == text:
        return sum(float(number) * _SECONDS[unit] for number, unit in pieces)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - time.time())
