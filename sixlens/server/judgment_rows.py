"""Judgments in the database: each function is one transaction's work, to be given to `Store.run`."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from fusion.verdict import Verdict

MAX_ATTEMPTS = 3
"""How often a judgment is begun at most: one that takes the whole process down is not begun for ever."""

_COLUMNS = """j.seq, j.id, j.status, j.created_at, j.started_at, j.finished_at, j.ensemble, j.reference, j.deadline_s,
    j.name, j.suffix, j.sha256, j.bytes, j.kept, j.label, j.undecided_because, j.headline, j.error_kind,
    j.error_message, j.supersedes, r.status AS review_status, r.reason AS review_reason,
    d.decision, d.note, d.reviewer, d.blind, d.decided_at,
    (SELECT n.id FROM appeals a JOIN judgments n ON n.id = a.new
     WHERE a.judgment = j.id AND n.status = 'done' ORDER BY a.seq DESC LIMIT 1) AS superseded_by"""
_FROM = """FROM judgments j LEFT JOIN reviews r ON r.judgment = j.id
    LEFT JOIN decisions d ON d.seq = (SELECT max(seq) FROM decisions WHERE judgment = j.id)"""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewJudgment:
    """A judgment that is asked for."""

    id: str
    created_at: float
    ensemble: str
    request_sha256: str
    """Of everything that was asked, the picture included: tells a repeated request from another one."""
    name: str
    reference: str | None = None
    deadline_s: float | None = None
    asked: bool = False
    """A person shall look at it, whatever the verdict."""
    url: str | None = None
    suffix: str = ""
    sha256: str | None = None
    bytes: int | None = None
    idempotency_key: str | None = None
    supersedes: str | None = None
    appeal: str | None = None
    """The reason of the appeal that it follows."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which judgments are listed. Times are seconds since 1970; `since` is inclusive, `until` is not."""

    status: str | None = None
    label: str | None = None
    reference: str | None = None
    since: float | None = None
    until: float | None = None


class AppealUnderWayError(Exception):
    """Somebody else has appealed against the same judgment."""


def find_replay(connection: sqlite3.Connection, key: str) -> tuple[str, str] | None:
    """Id and digest of the request that was made with this idempotency key."""
    row = connection.execute("SELECT id, request_sha256 FROM judgments WHERE idempotency_key = ?", (key,)).fetchone()
    return None if row is None else (row["id"], row["request_sha256"])


def insert(connection: sqlite3.Connection, new: NewJudgment) -> tuple[str, str]:
    """Keep a judgment that waits. Returns id and request digest: its own, or those of an earlier one of the same key.

    Raises:
        AppealUnderWayError: it follows an appeal against a judgment that another one already follows.
    """
    if new.idempotency_key is not None:
        earlier = find_replay(connection, new.idempotency_key)
        if earlier is not None:
            return earlier
    if new.supersedes is not None:
        taken = """SELECT 1 FROM appeals a JOIN judgments n ON n.id = a.new
            WHERE a.judgment = ? AND n.status != 'failed'"""
        if connection.execute(taken, (new.supersedes,)).fetchone() is not None:
            raise AppealUnderWayError
    connection.execute(
        """INSERT INTO judgments (id, status, created_at, ensemble, reference, deadline_s, asked, url, name, suffix,
               sha256, bytes, kept, idempotency_key, request_sha256, supersedes)
           VALUES (?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            new.id,
            new.created_at,
            new.ensemble,
            new.reference,
            new.deadline_s,
            new.asked,
            new.url,
            new.name,
            new.suffix,
            new.sha256,
            new.bytes,
            new.url is None,
            new.idempotency_key,
            new.request_sha256,
            new.supersedes,
        ),
    )
    if new.supersedes is not None:
        connection.execute(
            "INSERT INTO appeals (judgment, new, reason, created_at) VALUES (?, ?, ?, ?)",
            (new.supersedes, new.id, new.appeal or "", new.created_at),
        )
    return new.id, new.request_sha256


def resolve(connection: sqlite3.Connection, name: str) -> str | None:
    """The id of a judgment by that id, or by the id that stands in its verdict."""
    row = connection.execute("SELECT id FROM judgments WHERE id = ? OR verdict_id = ?", (name, name)).fetchone()
    return None if row is None else str(row["id"])


def read(connection: sqlite3.Connection, name: str) -> Row | None:
    """Everything about a judgment, by its id or its verdict's: its columns, `decisions`, `appeals` and `position`."""
    row = connection.execute(
        f"SELECT {_COLUMNS}, j.verdict, j.url {_FROM} WHERE j.id = ? OR j.verdict_id = ?", (name, name)
    ).fetchone()
    return None if row is None else _whole(connection, dict(row))


def _whole(connection: sqlite3.Connection, row: Row) -> Row:
    decisions = connection.execute("SELECT * FROM decisions WHERE judgment = ? ORDER BY seq", (row["id"],))
    row["decisions"] = [dict(one) for one in decisions]
    appeals = connection.execute(
        """SELECT a.reason, a.created_at, a.new, n.status FROM appeals a JOIN judgments n ON n.id = a.new
           WHERE a.judgment = ? ORDER BY a.seq""",
        (row["id"],),
    )
    row["appeals"] = [dict(one) for one in appeals]
    row["position"] = None
    if row["status"] == "queued":
        before = "SELECT count(*) FROM judgments WHERE status = 'queued' AND seq < ?"
        (row["position"],) = connection.execute(before, (row["seq"],)).fetchone()
    return row


def page(
    connection: sqlite3.Connection, chosen: Filter, before: int | None, limit: int, *, whole: bool = False
) -> list[Row]:
    """Up to `limit` judgments, newest first, beginning below the position `before`; with `whole` as `read` gives."""
    wanted = [
        ("j.seq < ?", before),
        ("j.status = ?", chosen.status),
        ("j.label = ?", chosen.label),
        ("j.reference = ?", chosen.reference),
        ("j.created_at >= ?", chosen.since),
        ("j.created_at < ?", chosen.until),
    ]
    used = [(clause, value) for clause, value in wanted if value is not None]
    where = f"WHERE {' AND '.join(clause for clause, _ in used)}" if used else ""
    rows = connection.execute(
        f"SELECT {_COLUMNS}{', j.verdict, j.url' if whole else ''} {_FROM} {where} ORDER BY j.seq DESC LIMIT ?",
        (*(value for _, value in used), limit),
    )
    found = [dict(row) for row in rows]
    return [_whole(connection, row) for row in found] if whole else found


def begin(connection: sqlite3.Connection, ident: str, now: float) -> Row | None:
    """Mark a waiting judgment as running and return it; None when it does not wait (any more)."""
    changed = connection.execute(
        "UPDATE judgments SET status = 'running', started_at = ?, attempts = attempts + 1 "
        "WHERE id = ? AND status = 'queued'",
        (now, ident),
    )
    if not changed.rowcount:
        return None
    row = connection.execute("SELECT * FROM judgments WHERE id = ?", (ident,)).fetchone()
    return dict(row)


def hand_back(connection: sqlite3.Connection, ident: str) -> None:
    """Let a running judgment wait again, as if it had not been begun."""
    connection.execute(
        "UPDATE judgments SET status = 'queued', started_at = NULL, attempts = attempts - 1 "
        "WHERE id = ? AND status = 'running'",
        (ident,),
    )


def note_picture(connection: sqlite3.Connection, ident: str, name: str, sha256: str, size: int) -> None:
    """Note the picture that an address led to."""
    connection.execute(
        "UPDATE judgments SET name = ?, sha256 = ?, bytes = ?, kept = 1 WHERE id = ?", (name, sha256, size, ident)
    )


@dataclass(frozen=True, slots=True)
class Finish:
    """How a judgment ended well."""

    id: str
    verdict: Verdict
    now: float
    review: tuple[str, str, bool] | None = None
    """The review's id and reason, and whether it is blind; None when no person needs to look."""


def finish(connection: sqlite3.Connection, end: Finish) -> None:
    """Keep the verdict, let it wait for a person if need be, and close the review of what it supersedes."""
    verdict = end.verdict
    because = verdict.undecided_because
    changed = connection.execute(
        """UPDATE judgments SET status = 'done', finished_at = ?, label = ?, undecided_because = ?, headline = ?,
               verdict_id = ?, verdict = ?, url = NULL WHERE id = ? AND status = 'running'""",
        (
            end.now,
            verdict.label.value,
            None if because is None else because.value,
            verdict.headline,
            verdict.id,
            verdict.model_dump_json(),
            end.id,
        ),
    )
    if not changed.rowcount:
        return
    if end.review is not None:
        review, reason, blind = end.review
        connection.execute(
            "INSERT INTO reviews (id, judgment, status, reason, blind, created_at) VALUES (?, ?, 'waiting', ?, ?, ?)",
            (review, end.id, reason, blind, end.now),
        )
    connection.execute(
        """UPDATE reviews SET status = 'closed' WHERE status = 'waiting'
           AND judgment = (SELECT supersedes FROM judgments WHERE id = ?)""",
        (end.id,),
    )


def fail(
    connection: sqlite3.Connection, ident: str, kind: str, message: str, now: float, *, passing: bool = False
) -> None:
    """Note that no verdict came, and why.

    When the trouble is a `passing` one, the idempotency key is free again: the same request may find a verdict later.
    A judgment that has ended stays as it is: its verdict is not lost by what goes wrong afterwards.
    """
    connection.execute(
        "UPDATE judgments SET status = 'failed', finished_at = ?, error_kind = ?, error_message = ?, url = NULL, "
        "idempotency_key = CASE WHEN ? THEN NULL ELSE idempotency_key END "
        "WHERE id = ? AND status IN ('queued', 'running')",
        (now, kind, message, passing, ident),
    )


def release(connection: sqlite3.Connection, ident: str, *, keep: bool) -> bool:
    """Whether nobody needs the picture any more; then it is noted as gone. The caller deletes the file.

    It is needed while the judgment waits or runs or waits for a person, and always with `keep`.
    """
    if keep:
        return False
    changed = connection.execute(
        """UPDATE judgments SET kept = 0 WHERE id = ? AND status IN ('done', 'failed')
           AND NOT EXISTS (SELECT 1 FROM reviews WHERE judgment = judgments.id AND status = 'waiting')""",
        (ident,),
    )
    return changed.rowcount > 0


def pending(connection: sqlite3.Connection) -> list[Row]:
    """What a server that ended left behind: judgments that waited or ran, oldest first; all of them wait now."""
    connection.execute("UPDATE judgments SET status = 'queued', started_at = NULL WHERE status = 'running'")
    rows = connection.execute(
        "SELECT id, suffix, url, attempts, ensemble FROM judgments WHERE status = 'queued' ORDER BY seq"
    )
    return [dict(row) for row in rows]


def delete(connection: sqlite3.Connection, ident: str) -> None:
    """Forget a judgment, with its reviews, decisions and appeals, and the label that older decisions left for its file.

    A case that it stood in the place of waits for a person again.
    """
    connection.execute(
        """UPDATE reviews SET status = 'waiting' WHERE status = 'closed'
           AND judgment = (SELECT supersedes FROM judgments WHERE id = ? AND status = 'done')""",
        (ident,),
    )
    connection.execute("DELETE FROM labels WHERE sha256 = (SELECT sha256 FROM judgments WHERE id = ?)", (ident,))
    _remove(connection, ident)


def retire(connection: sqlite3.Connection, before: float, limit: int = 500) -> list[str]:
    """Forget ended judgments that were asked for before this time, and return their ids.

    What people decided about their files is kept as labels, which name neither the case nor who decided.
    """
    rows = connection.execute(
        "SELECT id FROM judgments WHERE created_at < ? AND status IN ('done', 'failed') ORDER BY seq LIMIT ?",
        (before, limit),
    )
    ids = [row["id"] for row in rows]
    for ident in ids:
        connection.execute(
            """INSERT INTO labels
                   (seq, sha256, decision, ensemble, config_sha256, tool_label, blind, reason, decided_at)
               SELECT d.seq, j.sha256, d.decision, j.ensemble, json_extract(j.verdict, '$.config_sha256'), j.label,
                   d.blind, r.reason, d.decided_at
               FROM decisions d JOIN judgments j ON j.id = d.judgment JOIN reviews r ON r.id = d.review
               WHERE j.id = ? AND j.sha256 IS NOT NULL ORDER BY d.seq DESC LIMIT 1
               ON CONFLICT (sha256) DO UPDATE SET seq = excluded.seq, decision = excluded.decision,
                   ensemble = excluded.ensemble, config_sha256 = excluded.config_sha256,
                   tool_label = excluded.tool_label, blind = excluded.blind, reason = excluded.reason,
                   decided_at = excluded.decided_at WHERE excluded.seq > seq""",
            (ident,),
        )
        _remove(connection, ident)
    return ids


def _remove(connection: sqlite3.Connection, ident: str) -> None:
    connection.execute("UPDATE judgments SET supersedes = NULL WHERE supersedes = ?", (ident,))
    connection.execute("DELETE FROM judgments WHERE id = ?", (ident,))


def with_pictures(connection: sqlite3.Connection) -> set[str]:
    """The ids of all judgments whose picture is kept."""
    return {row["id"] for row in connection.execute("SELECT id FROM judgments WHERE kept = 1")}


def release_all(connection: sqlite3.Connection) -> None:
    """Note every picture as gone that nobody needs; the caller deletes the files that belong to none."""
    connection.execute(
        """UPDATE judgments SET kept = 0 WHERE kept = 1 AND status IN ('done', 'failed')
           AND NOT EXISTS (SELECT 1 FROM reviews WHERE judgment = judgments.id AND status = 'waiting')"""
    )
