"""Scores over HTTP, from a detector that runs as a service."""

from __future__ import annotations

import asyncio
import json

import httpx2

from backends.connections import Connections
from backends.errors import AttemptTimeoutError, ConnectError, MalformedError, ServerError
from backends.providers.address import Address
from backends.providers.transport import open_client
from backends.settings import BackendSettings
from paradigms.scores.scorer import MAX_SCORE, Scored

PROVIDER = "score"
MAX_ANSWER = 64 * 1024
"""Bytes of an answer."""
MAX_CONNECTIONS = 8
"""Pictures that one service is sent at once."""


class ScoreService:
    """POSTs the original bytes of a picture, without its name, and reads `{"score": NUMBER}`.

    Args:
        address: where; redirects are not followed.
        seconds: how long one answer may take.
        connections: clients to share.
    """

    def __init__(self, address: Address, *, seconds: float = 30.0, connections: Connections | None = None) -> None:
        self._address = address
        self._seconds = seconds
        settings = BackendSettings(
            attempt_seconds=seconds, connect_seconds=min(10.0, seconds), max_connections=MAX_CONNECTIONS
        )
        self._client = open_client(address, settings, None, connections=connections)

    async def score(self, picture: Scored) -> float | None:
        """The score that the service gives; None when it says null.

        Raises:
            AttemptTimeoutError, ConnectError, ServerError, MalformedError: there is none.
        """
        host = self._address.host
        try:
            # The client's own limit is for each piece of an answer; a slow drip would never reach it.
            async with asyncio.timeout(self._seconds):
                status, content = await self._ask(picture.data)
        except (httpx2.TimeoutException, TimeoutError) as error:
            raise AttemptTimeoutError(f"the score service at {host} took too long", provider=PROVIDER) from error
        except httpx2.DecodingError as error:
            raise MalformedError(f"the score service at {host} sent what cannot be read", provider=PROVIDER) from error
        except httpx2.TransportError as error:
            raise ConnectError(f"the score service at {host} cannot be reached", provider=PROVIDER) from error
        if status != httpx2.codes.OK:
            message = f"the score service at {host} answered with status {status}"
            raise ServerError(message, provider=PROVIDER, status=status)
        return _read(content, host)

    async def _ask(self, data: bytes) -> tuple[int, bytes]:
        """Status and body. A compressed body, which might unpack to anything, is not read."""
        headers = {"content-type": "application/octet-stream", "accept-encoding": "identity"}
        async with self._client.client.stream("POST", self._address.url, content=data, headers=headers) as answer:
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise httpx2.DecodingError("the answer is compressed, which was not asked for")
            body = b""
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MAX_ANSWER:
                    raise httpx2.DecodingError(f"the answer is larger than {MAX_ANSWER} bytes")
            return answer.status_code, body

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _read(content: bytes, host: str) -> float | None:
    wanted = f'the score service at {host} must answer {{"score": NUMBER}}'
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"{wanted}; it sent no JSON", provider=PROVIDER) from error
    if not isinstance(data, dict) or "score" not in data:
        raise MalformedError(wanted, provider=PROVIDER)
    value = data["score"]
    if value is None:
        return None
    # A comparison with NaN is false.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_SCORE:
        raise MalformedError(f"{wanted}, of at most {MAX_SCORE:g} in size", provider=PROVIDER)
    return float(value)
