"""A client's connection: how long it may stand idle, and how many there may be."""

from __future__ import annotations

import asyncio
import resource
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

IDLE_S = 75
"""Seconds that a connection may wait for a whole head of a request. Longer than clients keep idle connections (mostly 5
to 60), so that it is they who close: a request that is sent while the server closes ends in a reset."""
UNREAD_S = 60.0
"""Seconds in which a client has to take what it was sent, also when the server closes the connection."""
AT_ONCE = 16
"""Connections that are taken from the operating system at once."""
_MOST = 512
_FEWEST = 16
_OTHER_FILES = 64 + 4 * AT_ONCE
"""Files that a server may have open beside its connections: the database, pictures, backends, and connections that were
taken and are not counted yet, since asyncio takes further ones before it has begun with the first."""


class Connection(H11Protocol):
    """uvicorn's, but none is idle for ever and the number is kept, whoever the client is: all this comes before tokens.

    When there is no room, the connection goes that has waited longest for a request. uvicorn alone would turn down
    every request then, and leave the idle ones.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.waits_since: float | None = None
        """When it began to wait for a request, by the loop's clock; None while one is under way, and once it was told
        to go. Also one that is closing has it while its client takes the end of an answer."""
        self._let_go: asyncio.TimerHandle | None = None
        self._give_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        # A connection that is closed stays open until its buffer is empty. So any byte that the client does not take
        # begins the time in which it has to, not only more than asyncio's limit of 64 KiB, and whoever closes it.
        transport.set_write_buffer_limits(high=0)
        self._wait()
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop_waiting()
        self._stop_giving_up()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came. The wait ends with the head of a request, not with its first byte."""
        super().data_received(data)
        if self._under_way:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it was there already. A connection that is closing waits for its end."""
        super().on_response_complete()
        self._stop_waiting()
        if not self._under_way:
            self._wait()

    def pause_writing(self) -> None:
        """The client takes nothing at present."""
        super().pause_writing()
        self._stop_giving_up()
        self._give_up = self.loop.call_later(UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        self._stop_giving_up()
        super().resume_writing()

    @property
    def _under_way(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self.waits_since = self.loop.time()
        self._let_go = self.loop.call_later(self.timeout_keep_alive, self.transport.close)

    def _stop_waiting(self) -> None:
        self.waits_since = None
        if self._let_go is not None:
            self._let_go.cancel()

    def _stop_giving_up(self) -> None:
        if self._give_up is not None:
            self._give_up.cancel()

    def _make_room(self) -> None:
        waiting = [
            (one.waits_since, id(one), one)
            for one in self.connections
            if isinstance(one, Connection) and one.waits_since is not None
        ]
        # There is always one: this one waits too.
        *_, longest = min(waiting)
        # Not closed, which could last as long as its client likes. The loop tells it a moment later that it is lost;
        # it counts until then, but is not chosen again.
        longest._stop_waiting()
        longest.transport.abort()


def most_connections() -> int:
    """How many connections a server holds: 512, or fewer where the operating system allows this process few files."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return _MOST
    return max(_FEWEST, min(_MOST, allowed - _OTHER_FILES))
