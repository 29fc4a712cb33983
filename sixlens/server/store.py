"""The database of a server: one connection, used by one thread, one transaction a call."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from filelock import FileLock, Timeout

from backends.errors import ConfigError
from sixlens.server.errors import storage
from sixlens.server.store_schema import open_database

DATABASE, LOCK = "judgments.sqlite", "lock"

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """What a server keeps. Use it as an async context manager.

    All work is done by one thread, in the order in which it was asked for: so nothing is ever locked, and two requests
    never see each other's halves. The folder is held by one server at a time, since a second one would take the
    first one's judgments for interrupted.

    Args:
        folder: the data folder; it is made when it is not there, readable for its owner alone.

    Raises:
        ConfigError: (on entering) the folder cannot be used, another server uses it, or a newer sixlens wrote it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sixlens-store")
        self._connection: sqlite3.Connection | None = None
        # Given back by the operating system when the process dies. It is taken and released in two threads.
        self._lock = FileLock(folder / LOCK, mode=0o600, thread_local=False)

    async def __aenter__(self) -> Self:
        with ExitStack() as unless_opened:
            unless_opened.callback(self._close)
            self._connection = await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
            unless_opened.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def run(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], /, *arguments: P.args, **named: P.kwargs
    ) -> T:
        """Do some work with the connection, as one transaction: all of it counts, or nothing.

        A caller that is cancelled no longer waits; the work is done all the same.

        Raises:
            StorageError: the database cannot be used now; nothing of the work counts.
            DamagedError: the database is damaged; nothing of the work counts.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._thread, lambda: self._transact(lambda connection: work(connection, *arguments, **named))
        )

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        if connection is None:
            raise sqlite3.ProgrammingError("the store is closed")
        with storage():
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
                connection.execute("COMMIT")
            finally:
                # Still open unless it was committed, or a full disk has ended it; it would stand in the way of others.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        return result

    def _open(self) -> sqlite3.Connection:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise ConfigError(
                f"{self.folder} is used by another `sixlens serve`. Choose another --data-dir."
            ) from error
        except OSError as error:
            raise ConfigError(f"{self.folder} cannot be used as data folder ({error.strerror}).") from error
        path = self.folder / DATABASE
        try:
            path.touch(mode=0o600)
        except OSError as error:
            raise ConfigError(f"{path} cannot be used as database ({error.strerror}).") from error
        return open_database(path)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._lock.release()
