"""The tables of the server's database, and which version of them a file holds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from backends.errors import ConfigError

BUSY_SECONDS = 10.0

_TABLES = """
CREATE TABLE judgments (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed')),
    created_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL,
    attempts INTEGER NOT NULL DEFAULT 0,
    ensemble TEXT NOT NULL,
    reference TEXT,
    deadline_s REAL,
    asked INTEGER NOT NULL DEFAULT 0,
    url TEXT,
    name TEXT NOT NULL,
    suffix TEXT NOT NULL DEFAULT '',
    sha256 TEXT,
    bytes INTEGER,
    kept INTEGER NOT NULL DEFAULT 0,
    idempotency_key TEXT UNIQUE,
    request_sha256 TEXT NOT NULL,
    label TEXT,
    undecided_because TEXT,
    headline TEXT,
    verdict_id TEXT UNIQUE,
    verdict TEXT,
    error_kind TEXT,
    error_message TEXT,
    supersedes TEXT
);
CREATE INDEX judgments_by_status ON judgments (status, seq);
CREATE INDEX judgments_by_label ON judgments (label, seq);
CREATE INDEX judgments_by_reference ON judgments (reference, seq);
CREATE INDEX judgments_by_time ON judgments (created_at);
CREATE INDEX judgments_by_ancestor ON judgments (supersedes);
CREATE TABLE reviews (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    judgment TEXT NOT NULL UNIQUE REFERENCES judgments (id) ON DELETE CASCADE,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'decided', 'closed')),
    reason TEXT NOT NULL CHECK (reason IN ('undecided', 'dissent', 'random', 'appeal', 'asked')),
    blind INTEGER NOT NULL,
    created_at REAL NOT NULL
);
CREATE INDEX reviews_by_status ON reviews (status, seq);
CREATE TABLE decisions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    review TEXT NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
    judgment TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('real', 'generated', 'cannot_tell')),
    note TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    blind INTEGER NOT NULL,
    decided_at REAL NOT NULL
);
CREATE INDEX decisions_by_judgment ON decisions (judgment, seq);
CREATE INDEX decisions_by_review ON decisions (review, seq);
CREATE TABLE appeals (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    judgment TEXT NOT NULL REFERENCES judgments (id) ON DELETE CASCADE,
    new TEXT NOT NULL REFERENCES judgments (id) ON DELETE CASCADE,
    reason TEXT NOT NULL,
    created_at REAL NOT NULL
);
CREATE INDEX appeals_by_judgment ON appeals (judgment, seq);
"""
# Some files of version 1 have it already: it was made with the others for a while.
_LABELS = """
CREATE TABLE IF NOT EXISTS labels (
    seq INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    decision TEXT NOT NULL,
    ensemble TEXT NOT NULL,
    config_sha256 TEXT,
    tool_label TEXT,
    blind INTEGER NOT NULL,
    reason TEXT NOT NULL,
    decided_at REAL NOT NULL
);
"""

_STEPS = (_TABLES, _LABELS)
"""What brings a file from each version to the next; a new file, which is of version 0, takes them all. A step that was
released is not changed any more: whatever the tables need then is a step of its own."""
VERSION = len(_STEPS)


def open_database(path: Path) -> sqlite3.Connection:
    """Open the file, and make the tables that it lacks.

    Raises:
        ConfigError: it was written by a newer sixlens, is no such database, or cannot be written.
    """
    try:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise _unusable(path, error) from error
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # Deleted pictures and names shall not linger in the file.
        connection.execute("PRAGMA secure_delete = ON")
        _bring_up(connection, path)
    except sqlite3.OperationalError as error:
        connection.close()
        raise _unusable(path, error) from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise ConfigError(f"{path}: this is no database of sixlens ({error}). Choose another --data-dir.") from error
    except ConfigError:
        connection.close()
        raise
    return connection


def _unusable(path: Path, error: sqlite3.OperationalError) -> ConfigError:
    """The file is read-only, held by another program, no file at all, or the disk is full."""
    return ConfigError(f"{path} cannot be used as database ({error}). Mend that, or choose another --data-dir.")


def _bring_up(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise ConfigError(
            f"{path} was written by a newer sixlens (version {version} of the tables, this one knows {VERSION}). "
            "Install that one, or choose another --data-dir."
        )
    if version < VERSION:
        steps = "".join(_STEPS[version:])
        connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {VERSION}; COMMIT;")
