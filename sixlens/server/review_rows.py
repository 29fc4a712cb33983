"""Reviews and decisions in the database: each function is one transaction's work, to be given to `Store.run`."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]

_SELECT = """SELECT r.seq, r.id, r.judgment, r.status, r.reason, r.blind, r.created_at, j.reference, j.name, j.suffix,
    j.sha256, j.kept, j.label, j.headline, j.verdict, j.ensemble,
    (SELECT a.reason FROM appeals a WHERE a.new = j.id ORDER BY a.seq DESC LIMIT 1) AS appeal
    FROM reviews r JOIN judgments j ON j.id = r.judgment"""


@dataclass(frozen=True, slots=True)
class NewDecision:
    """What a person decided."""

    decision: str
    note: str
    reviewer: str
    now: float


def page(connection: sqlite3.Connection, status: str | None, after: int | None, limit: int) -> list[Row]:
    """Up to `limit` reviews of this status, oldest first, beginning above the position `after`."""
    rows = connection.execute(
        f"{_SELECT} WHERE r.seq > ? AND (? IS NULL OR r.status = ?) ORDER BY r.seq LIMIT ?",
        (after or 0, status, status, limit),
    )
    return [_with_decisions(connection, dict(row)) for row in rows]


def read(connection: sqlite3.Connection, ident: str) -> Row | None:
    """A review with its judgment and its decisions."""
    row = connection.execute(f"{_SELECT} WHERE r.id = ?", (ident,)).fetchone()
    return None if row is None else _with_decisions(connection, dict(row))


def listing(connection: sqlite3.Connection, status: str | None, after: int | None, limit: int) -> tuple[list[Row], int]:
    """A `page`, and how many cases were `waiting` at the very same moment."""
    return page(connection, status, after, limit), waiting(connection)


def waiting(connection: sqlite3.Connection) -> int:
    """How many cases wait for a person."""
    (count,) = connection.execute("SELECT count(*) FROM reviews WHERE status = 'waiting'").fetchone()
    return int(count)


def decide(connection: sqlite3.Connection, ident: str, new: NewDecision) -> Row | None:
    """Add a decision to a review, and return the review; None when there is none of this id.

    Decisions are only ever added. One is blind when it is the first of a blind review: after it the label is shown. A
    closed review takes none, and is returned as it is.
    """
    row = read(connection, ident)
    if row is None or row["status"] == "closed":
        return row
    connection.execute(
        """INSERT INTO decisions (review, judgment, decision, note, reviewer, blind, decided_at)
           VALUES (?, ?, ?, ?, ?, ?, ?)""",
        (
            ident,
            row["judgment"],
            new.decision,
            new.note,
            new.reviewer,
            bool(row["blind"]) and not row["decisions"],
            new.now,
        ),
    )
    connection.execute("UPDATE reviews SET status = 'decided' WHERE id = ?", (ident,))
    return read(connection, ident)


def labels(connection: sqlite3.Connection, after: int, limit: int) -> list[Row]:
    """Up to `limit` pictures that a person decided for a side, each by the latest decision about that very file.

    Of judgments whose time is over, that decision is all there is: neither id nor reference.
    """
    rows = connection.execute(
        """WITH decided AS (SELECT d.seq, j.sha256 FROM decisions d JOIN judgments j ON j.id = d.judgment
                            WHERE j.sha256 IS NOT NULL UNION ALL SELECT seq, sha256 FROM labels),
               latest AS (SELECT max(seq) AS seq FROM decided GROUP BY sha256)
           SELECT d.seq AS seq, j.sha256, d.decision AS label, j.id AS judgment, j.reference, j.ensemble,
               json_extract(j.verdict, '$.config_sha256') AS config_sha256, j.label AS tool_label, d.blind, r.reason,
               d.decided_at
           FROM decisions d JOIN judgments j ON j.id = d.judgment JOIN reviews r ON r.id = d.review
           WHERE d.seq IN latest AND d.decision IN ('real', 'generated') AND d.seq > ?1
           UNION ALL
           SELECT seq, sha256, decision, NULL, NULL, ensemble, config_sha256, tool_label, blind, reason, decided_at
           FROM labels WHERE seq IN latest AND decision IN ('real', 'generated') AND seq > ?1
           ORDER BY seq LIMIT ?2""",
        (after, limit),
    )
    return [dict(row) for row in rows]


def _with_decisions(connection: sqlite3.Connection, row: Row) -> Row:
    decisions = connection.execute("SELECT * FROM decisions WHERE review = ? ORDER BY seq", (row["id"],))
    row["decisions"] = [dict(one) for one in decisions]
    return row
