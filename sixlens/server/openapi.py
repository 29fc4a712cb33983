"""What the OpenAPI document says beyond the types: bodies that are read by hand, and examples."""

from __future__ import annotations

from typing import Any

from sixlens.server.upload import AppealRequest, JudgmentRequest

Json = dict[str, Any]

_FILE: Json = {"type": "string", "format": "binary", "description": "The picture, as it is."}


def _body(model: type[JudgmentRequest] | type[AppealRequest], multipart: Json, plain: Json) -> Json:
    """A request body that comes as a form with a file, or as JSON without one."""
    schema = model.model_json_schema()
    schema.pop("title", None)
    form = {**schema, "properties": {"image": _FILE, **schema["properties"]}}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": form, "examples": multipart},
                "application/json": {"schema": schema, "examples": plain},
            },
        }
    }


JUDGMENT_BODY = _body(
    JudgmentRequest,
    {"picture": {"summary": "A picture", "value": {"image": "(the file)", "reference": "desk-4711"}}},
    {
        "address": {
            "summary": "An address, where this server fetches any",
            "value": {"url": "https://example.org/picture.jpg", "ensemble": "six", "reference": "desk-4711"},
        }
    },
)
APPEAL_BODY = _body(
    AppealRequest,
    {"file": {"summary": "A better file", "value": {"reason": "This is the camera's own file.", "image": "(the file)"}}},
    {"reason": {"summary": "The same file", "value": {"reason": "I took this picture myself."}}},
)
JUDGMENT_EXAMPLE: Json = {
    "id": "3f0c8c1e-6a55-4f0e-9d59-6b6f0f6b8f52",
    "status": "queued",
    "created_at": "2026-11-20T12:00:00.000+00:00",
    "started_at": None,
    "finished_at": None,
    "ensemble": "six",
    "reference": "desk-4711",
    "label": None,
    "undecided_because": None,
    "headline": None,
    "error": None,
    "image": {"name": "photo.jpg", "sha256": "9f86d081884c7d65…", "bytes": 482113, "kept": True},
    "review": {"status": "none", "reason": None},
    "decision": None,
    "supersedes": None,
    "superseded_by": None,
    "verdict": None,
    "position": 0,
    "deadline_s": None,
    "decisions": [],
    "appeals": [],
    "links": {
        "self": "/v1/judgments/3f0c8c1e-6a55-4f0e-9d59-6b6f0f6b8f52",
        "events": "/v1/judgments/3f0c8c1e-6a55-4f0e-9d59-6b6f0f6b8f52/events",
        "report": None,
        "picture": "/v1/judgments/3f0c8c1e-6a55-4f0e-9d59-6b6f0f6b8f52/picture",
        "verdict": None,
        "appeal": None,
    },
}
