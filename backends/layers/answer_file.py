"""The SQLite file behind the cache: answers by key, with limits on size and age."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from tenacity import retry, retry_if_exception, stop_after_delay, wait_random

FORMAT = 1
"""Kept in the file's `user_version`; answers of another format are dropped."""
_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, body TEXT NOT NULL, bytes INTEGER NOT NULL,
    created REAL NOT NULL, used REAL NOT NULL)
"""
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS answers_by_use ON answers (used, bytes)",
    "CREATE INDEX IF NOT EXISTS answers_by_age ON answers (created)",
)
_PUT = """
INSERT INTO answers (key, body, bytes, created, used) VALUES (?1, ?2, ?3, ?4, ?4)
ON CONFLICT (key) DO UPDATE SET body = ?2, bytes = ?3, created = ?4, used = ?4
"""
READ = "SELECT CAST(body AS TEXT), CAST(created AS REAL) FROM answers WHERE key = ?"
READ_WAIT_S = 0.02
"""Readers do not wait for writers (write-ahead log), only for the rare moment in which the log itself is rebuilt."""
_WRITE_WAIT_S = 5.0
_KEPT = 0.9
"""The share of the size limit that is left after answers were dropped, so that this is seldom done."""

Stored = tuple[str, float]
"""The text of an answer, and when it was stored in seconds since the epoch."""


class AnswerFile:
    """Answers in an SQLite file that several threads and processes may use at once.

    Two connections: one reads, one writes. Each is for one thread at a time. Every method may raise `sqlite3.Error`.

    Args:
        path: the file, made with mode 0600; a missing folder is made with mode 0700.
        max_bytes: beyond it, the answers longest unused are dropped.
        max_age_s: older answers are dropped.

    Raises:
        OSError, sqlite3.Error: the file cannot be made, opened or read.
    """

    def __init__(self, path: Path, max_bytes: int, max_age_s: float) -> None:
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._room = 0
        """Bytes that may be written before the size is looked at again."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        with contextlib.ExitStack() as opened:
            self._writer = opened.enter_context(contextlib.closing(_connect(path, _WRITE_WAIT_S)))
            self._set_up()
            self._reader = opened.enter_context(contextlib.closing(_connect(path, READ_WAIT_S)))
            opened.pop_all()

    def read(self, key: str) -> Stored | None:
        """The answer stored under `key`, unless there is none."""
        # The casts hold even in a damaged file.
        row = self._reader.execute(READ, (key,)).fetchone()
        return (row[0], row[1]) if row else None

    def write(self, answers: Mapping[str, Stored], used: Mapping[str, float], now: float) -> None:
        """Store answers and when others were last used, and keep the limits, in one transaction."""
        sizes = {key: len(key) + len(body.encode()) for key, (body, _) in answers.items()}
        with self._writer as db:
            db.executemany("UPDATE answers SET used = ? WHERE key = ?", [(at, key) for key, at in used.items()])
            db.executemany(_PUT, [(key, body, sizes[key], at) for key, (body, at) in answers.items()])
            self._room -= sum(sizes.values())
            if self._room < 0:
                self._keep_limits(db, now)

    def drop_old(self, now: float) -> None:
        """Drop the answers that are too old; writing does so only now and then."""
        with self._writer as db:
            self._keep_limits(db, now)

    def count(self) -> tuple[int, int]:
        """How many answers there are, and how many bytes they take."""
        row = self._writer.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM answers").fetchone()
        return row[0], row[1]

    def clear(self) -> None:
        """Drop every answer and give the space back."""
        with self._writer as db:
            db.execute("DELETE FROM answers")
        self._writer.execute("VACUUM")
        self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close both connections; may be called more than once."""
        self._reader.close()
        self._writer.close()

    @retry(
        retry=retry_if_exception(lambda error: getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY),
        stop=stop_after_delay(_WRITE_WAIT_S),
        wait=wait_random(0.01, 0.05),
        reraise=True,
    )
    def _set_up(self) -> None:
        # SQLite does not wait for another process that changes the mode in the same moment: hence the retries.
        self._writer.execute("PRAGMA journal_mode = WAL")
        # With the log, NORMAL loses at most the last moments on a power cut, and never breaks the file.
        self._writer.execute("PRAGMA synchronous = NORMAL")
        with self._writer as db:
            db.execute("BEGIN IMMEDIATE")
            if db.execute("PRAGMA user_version").fetchone() != (FORMAT,):
                db.execute("DROP TABLE IF EXISTS answers")
                db.execute(f"PRAGMA user_version = {FORMAT}")
            for statement in (_TABLE, *_INDEXES):
                db.execute(statement)

    def _keep_limits(self, db: sqlite3.Connection, now: float) -> None:
        db.execute("DELETE FROM answers WHERE created < ?", (now - self._max_age_s,))
        total = db.execute("SELECT coalesce(sum(bytes), 0) FROM answers").fetchone()[0]
        if total > self._max_bytes:
            total -= _drop(db, total - int(_KEPT * self._max_bytes))
        # Other processes write too: look again after a tenth of the limit at the latest.
        self._room = min(self._max_bytes - total, self._max_bytes // 10)


def remove_answer_file(path: Path) -> None:
    """Remove the file and what SQLite keeps beside it. Raises `OSError`."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


def _connect(path: Path, wait_s: float) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=wait_s, isolation_level="IMMEDIATE", check_same_thread=False)


def _drop(db: sqlite3.Connection, excess: int) -> int:
    """Drop the answers longest unused, at least `excess` bytes of them; returns how many bytes were dropped."""
    dropped: list[tuple[int]] = []
    freed = 0
    for row_id, size in db.execute("SELECT id, bytes FROM answers ORDER BY used"):
        if freed >= excess:
            break
        dropped.append((row_id,))
        freed += size
    db.executemany("DELETE FROM answers WHERE id = ?", dropped)
    return freed
