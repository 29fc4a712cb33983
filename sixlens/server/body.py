"""The body of a request: read within limits of time, and to its end also when the request is refused."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

IDLE_S = 15.0
"""Seconds in which a client has to send something more: one that sends nothing takes another one's place."""


class Body:
    """What a client sends after the head of a request. `receive` takes the place of the server's own.

    Args:
        receive: of the server.
        headers: of the request.
        seconds: in which all of it has to arrive, counted from the first read.
    """

    def __init__(self, receive: Receive, headers: Headers, seconds: float) -> None:
        self._receive = receive
        self._seconds = seconds
        self._until: float | None = None
        self.answered = False
        """Whether the response has begun. Nobody can be told any more then that a body was too slow."""
        self.unread = "transfer-encoding" in headers or headers.get("content-length", "0").strip() != "0"
        """Whether there is more of it than was read."""

    async def receive(self) -> Message:
        """The next part, or the news that the client is gone.

        Raises:
            HTTPException: (408) nothing came for a while, or the time for all of it is over.
        """
        if not self.unread:
            # What comes now is an end, and may take as long as the answer does.
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline()):
                message = await self._receive()
        except TimeoutError as error:
            if self.answered:
                return {"type": "http.disconnect"}
            words = f"The request took longer than {self._seconds:g} seconds to arrive, or stood still for {IDLE_S:g}."
            raise HTTPException(408, words) from error
        self.unread = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def drain(self, most: int) -> None:
        """Read and forget what still comes, at most so many bytes.

        Clients that read no answer before they have sent everything come to read it so; a connection that is closed
        under what they send is reset, and the answer lost.
        """
        while self.unread and most >= 0:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                return
            most -= len(message.get("body", b""))

    def _deadline(self) -> float:
        now = asyncio.get_running_loop().time()
        if self._until is None:
            self._until = now + self._seconds
        return min(now + IDLE_S, self._until)
