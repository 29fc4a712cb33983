"""Running a server until it is told to stop: then it finishes what is under way and leaves the rest on disk."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from backends.errors import ConfigError
from sixlens.server.connection import AT_ONCE, IDLE_S, Connection, most_connections
from sixlens.server.queue import JudgmentQueue
from sixlens.server.service import Service
from sixlens.server.settings import ServerSettings

_BACKLOG = 2048
"""Connections that wait in the operating system until they are taken."""
_LAST_WORDS_S = 5
"""Seconds that open connections have after the last judgment has ended."""


class DrainingServer(uvicorn.Server):
    """Stops in two steps: at the first signal nothing new is taken in, and when all is done the doors are closed.

    Requests are answered meanwhile, so that whoever waits for a verdict gets it, and whoever comes is told to come
    again. A second signal ends it at once.

    Args:
        config: of uvicorn.
        queue: what is drained.
        started: called when requests are taken.
    """

    def __init__(self, config: uvicorn.Config, queue: JudgmentQueue, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._queue = queue
        self._started = started
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None
        self.interrupted = False
        """Whether Ctrl-C was what stopped it."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take requests."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        for listener in sockets or ():
            # asyncio takes the number that it accepts at once also for how many may wait.
            listener.listen(_BACKLOG)
        self._started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by a signal."""
        self.interrupted = self.interrupted or sig == signal.SIGINT
        if self._loop is None or self._draining is not None:
            self.force_exit = self.should_exit = True
            self._queue.hurry()
            return
        self._draining = self._loop.create_task(self._drain())
        # A task that a signal makes does not wake the loop by itself.
        self._loop.call_soon_threadsafe(lambda: None)

    async def _drain(self) -> None:
        try:
            await self._queue.drain()
        finally:
            self.should_exit = True


def bind(settings: ServerSettings) -> socket.socket:
    """Take the address.

    Raises:
        ConfigError: it is taken, or is none of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"{settings.host}:{settings.port} cannot be served ({error.strerror}). Choose another --port or --host."
        ) from error


async def run_server(app: FastAPI, listener: socket.socket, started: Callable[[Service], None]) -> bool:
    """Serve until a signal comes; whether it was Ctrl-C.

    Args:
        app: what `create_app` made.
        listener: what `bind` made.
        started: called when requests are taken.

    Raises:
        ConfigError: the data folder or a backend cannot be used.
    """
    service: Service = app.state.service
    async with service:
        config = uvicorn.Config(
            app,
            http=Connection,
            limit_concurrency=most_connections(),
            backlog=AT_ONCE,
            timeout_keep_alive=IDLE_S,
            lifespan="off",  # Opened here instead, so that a mistake is one line.
            log_config=None,
            access_log=False,  # It would write queries; the guard writes lines without them.
            server_header=False,
            timeout_graceful_shutdown=_LAST_WORDS_S,
        )
        server = DrainingServer(config, service.queue, lambda: started(service))
        await server.serve(sockets=[listener])
    return server.interrupted
