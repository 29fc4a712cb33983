"""The SQLite file behind the cache when it can be read and not written: a shared folder, a read-only disc, a lock."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from backends.layers.answer_file import FORMAT, READ, READ_WAIT_S, Stored


class AnswerReader:
    """Answers of an SQLite file, which is left as it is. The same methods as `AnswerFile`, for one thread at a time.

    Args:
        path: the file, which exists.

    Raises:
        sqlite3.Error: the file cannot be read, or was written in another format.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._reader = _open(path, "mode=ro")
        except sqlite3.OperationalError as error:
            # SQLite wants to make a log beside the file. Where it cannot, nobody here writes the file either.
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                raise
            self._reader = _open(path, "mode=ro&immutable=1")

    def read(self, key: str) -> Stored | None:
        """The answer stored under `key`, unless there is none."""
        row = self._reader.execute(READ, (key,)).fetchone()
        return (row[0], row[1]) if row else None

    def write(self, answers: Mapping[str, Stored], used: Mapping[str, float], now: float) -> None:
        """Nothing is stored."""

    def count(self) -> tuple[int, int]:
        """How many answers there are, and how many bytes they take."""
        row = self._reader.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM answers").fetchone()
        return row[0], row[1]

    def clear(self) -> None:
        """Refuse. Raises `sqlite3.OperationalError`."""
        raise sqlite3.OperationalError("it can be read and not written")

    def close(self) -> None:
        """Close the connection; may be called more than once."""
        self._reader.close()


def _open(path: Path, how: str) -> sqlite3.Connection:
    # One thread counts, others read; the store sees to it that they take turns.
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{how}", timeout=READ_WAIT_S, uri=True, check_same_thread=False
    )
    with contextlib.ExitStack() as opened:
        opened.callback(connection.close)
        found = connection.execute("PRAGMA user_version").fetchone()
        if found != (FORMAT,):
            raise sqlite3.DatabaseError("it was written in another format")
        connection.execute(READ, ("",)).fetchone()
        opened.pop_all()
    return connection
