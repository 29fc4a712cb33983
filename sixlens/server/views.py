"""How judgments and reviews look from outside: JSON made from rows of the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sixlens.server.review_rules import blind_evidence

Json = dict[str, Any]
Row = dict[str, Any]


def time_text(seconds: float | None) -> str | None:
    """Seconds since 1970 as ISO 8601 in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def summary(row: Row) -> Json:
    """A judgment in a list."""
    return {
        "id": row["id"],
        "status": row["status"],
        "created_at": time_text(row["created_at"]),
        "started_at": time_text(row["started_at"]),
        "finished_at": time_text(row["finished_at"]),
        "ensemble": row["ensemble"],
        "reference": row["reference"],
        "label": row["label"],
        "undecided_because": row["undecided_because"],
        "headline": row["headline"],
        "error": error_of(row),
        "image": {
            "name": row["name"],
            "sha256": row["sha256"],
            "bytes": row["bytes"],
            "kept": bool(row["kept"]),
        },
        "review": {"status": row["review_status"] or "none", "reason": row["review_reason"]},
        "decision": None if row["decision"] is None else decision(row),
        "supersedes": row["supersedes"],
        "superseded_by": row["superseded_by"],
    }


def error_of(row: Row) -> Json | None:
    """Why a judgment failed."""
    return None if row["error_kind"] is None else {"kind": row["error_kind"], "message": row["error_message"]}


def decision(row: Row) -> Json:
    """What a person decided."""
    return {
        "decision": row["decision"],
        "note": row["note"],
        "reviewer": row["reviewer"],
        "blind": bool(row["blind"]),
        "decided_at": time_text(row["decided_at"]),
    }


def judgment(row: Row) -> Json:
    """A judgment with everything, its verdict word for word."""
    return {
        **summary(row),
        "verdict": None if row["verdict"] is None else json.loads(row["verdict"]),
        "position": row["position"],
        "deadline_s": row["deadline_s"],
        "decisions": [decision(one) for one in row["decisions"]],
        "appeals": [
            {
                "reason": one["reason"],
                "created_at": time_text(one["created_at"]),
                "judgment": one["new"],
                "status": one["status"],
            }
            for one in row["appeals"]
        ],
        "links": _links(row),
    }


def _links(row: Row) -> Json:
    base = f"/v1/judgments/{row['id']}"
    done = row["status"] == "done"
    ended = done or row["status"] == "failed"
    return {
        "self": base,
        "events": f"{base}/events",
        "report": f"{base}/report" if done else None,
        "picture": f"{base}/picture" if row["kept"] else None,
        "verdict": f"{base}/verdict" if done else None,
        "appeal": f"{base}/appeal" if ended and row["superseded_by"] is None else None,
    }


def review(row: Row) -> Json:
    """A case in the review queue; while it is blind, without anything that tells the label."""
    verdict: Json = json.loads(row["verdict"])
    hidden = bool(row["blind"]) and not row["decisions"]
    image = verdict["image"]
    return {
        "id": row["id"],
        "status": row["status"],
        "reason": row["reason"],
        "created_at": time_text(row["created_at"]),
        "blind": hidden,
        "judgment": None if hidden else row["judgment"],
        "reference": None if hidden else row["reference"],
        "image": {
            "name": None if hidden else row["name"],
            "width": image["width"],
            "height": image["height"],
            "kept": bool(row["kept"]),
        },
        "verdict": None if hidden else verdict,
        "label": None if hidden else row["label"],
        "headline": None if hidden else row["headline"],
        "evidence": blind_evidence(verdict["evidence"]) if hidden else verdict["evidence"],
        "appeal": row["appeal"],
        "decisions": [decision(one) for one in row["decisions"]],
    }
