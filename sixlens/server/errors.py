"""What a request can be refused with: one shape for all of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from starlette.responses import JSONResponse

from backends.errors import (
    BackendError,
    BudgetError,
    ConfigError,
    ImageError,
    NoVerdictError,
    SixlensError,
)

UNAVAILABLE = 503


class StorageError(ConfigError):
    """The data folder cannot be used now: its disk is full or gone. This may pass by itself."""


class DamagedError(ConfigError):
    """The database is damaged. This does not pass by itself: somebody has to put another one in its place."""


STORE_ERRORS = (StorageError, DamagedError, sqlite3.Error)
"""Everything that work with the database can end with; the last is a mistake in the program."""
_PASSING = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
    }
)
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_KINDS: tuple[tuple[type[SixlensError], str, int], ...] = (
    (StorageError, "storage", UNAVAILABLE),
    (ImageError, "picture", 422),
    (NoVerdictError, "no_verdict", UNAVAILABLE),
    (BackendError, "no_verdict", UNAVAILABLE),
    (BudgetError, "budget", UNAVAILABLE),
    (ConfigError, "configuration", 500),
)
_STATUS: Mapping[str, int] = {kind: status for _, kind, status in _KINDS} | {"interrupted": UNAVAILABLE}


class ApiError(Exception):
    """A request that cannot be served.

    Args:
        status: of HTTP.
        kind: one word for programs.
        message: one line for people.
        retry_after: seconds after which to come again, if that helps.
        more: further fields of the error.
    """

    def __init__(
        self, status: int, kind: str, message: str, *, retry_after: int | None = None, more: Mapping[str, Any] = {}
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.retry_after = retry_after
        self.more = dict(more)

    def response(self) -> JSONResponse:
        """What the client gets."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        body = {"error": {"kind": self.kind, "message": str(self), **self.more}}
        return JSONResponse(body, self.status, headers)


@contextmanager
def storage() -> Iterator[None]:
    """Turns what an operating system or SQLite says of a disk into an error of ours; mistakes in the program stay.

    Raises:
        StorageError: a file or the database cannot be used now.
        DamagedError: the database is damaged.
    """
    try:
        yield
    except OSError as error:
        raise _unusable(error.strerror or "unknown reason") from error
    except sqlite3.Error as error:
        # The class tells little: a table that is missing is of the same one as a full disk.
        code = _code(error)
        if code in _DAMAGE:
            raise _damaged(str(error)) from error
        if code not in _PASSING:
            raise
        raise _unusable(str(error)) from error


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary code, which stands in the lowest byte; what Python itself raises has none."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF


def _damaged(reason: str) -> DamagedError:
    return DamagedError(
        f"The server's database is damaged ({reason}). Stop the server, and put a copy in its place or choose another "
        "--data-dir."
    )


def _unusable(reason: str) -> StorageError:
    return StorageError(f"The server's data folder cannot be used now ({reason}); its disk may be full.")


def kind_of(error: SixlensError) -> str:
    """The word for what a judgment failed with."""
    return next((kind for family, kind, _ in _KINDS if isinstance(error, family)), "program")


def status_of(kind: str) -> int:
    """The HTTP status of a judgment that failed with this kind, for whoever waited for it."""
    return _STATUS.get(kind, 500)


def no_room() -> ApiError:
    """A picture cannot be written."""
    return ApiError(507, "no_room", "The server cannot keep the picture now; its disk may be full.")


def not_found(what: str) -> ApiError:
    """There is no such thing, or it was deleted."""
    return ApiError(404, "not_found", f"There is no such {what}. It may have been deleted after its time.")
