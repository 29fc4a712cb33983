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
    {
        "file": {
            "summary": "A better file",
            "value": {"reason": "This is the camera's own file.", "image": "(the file)"},
        }
    },
    {"reason": {"summary": "The same file", "value": {"reason": "I took this picture myself."}}},
)
_JUDGMENT_EXAMPLE: Json = {
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

_ENSEMBLES_EXAMPLE: Json = {
    "default": "six",
    "items": [
        {
            "name": "six",
            "description": "Six ways of looking, and a panel.",
            "asks": True,
            "fusion": "vote",
            "hosted": True,
            "picture": "The picture leaves this server for api.example.org: a copy of at most 1024 pixels a side, "
            "without its metadata.",
            "backends": [
                {"spec": "openai:MODEL", "destination": "api.example.org", "hosted": True, "missing_key": None}
            ],
            "paradigms": [
                {
                    "name": "commonsense",
                    "title": "Common sense and physics",
                    "question": "Does the scene agree with proportion, space, light, gravity and logic?",
                    "asks": True,
                }
            ],
            "max_edge": 1024,
            "deadline_s": 180.0,
        }
    ],
    "allow_urls": False,
    "max_bytes": 52428800,
    "max_deadline_s": 600.0,
    "keep_pictures": False,
    "retention_days": 200.0,
    "review_share": 0.02,
    "version": "0.1.0",
}
_ERROR_EXAMPLES: Json = {
    "413": {"kind": "too_large", "message": "The request is larger than the 50 MiB allowed. Scale the picture down."},
    "415": {"kind": "not_a_picture", "message": "notes.pdf: this is a PDF document; give a picture"},
    "429": {"kind": "busy", "message": "Too many judgments wait; come again later."},
    "503": {
        "kind": "no_verdict",
        "message": "No backend answered.",
        "judgment": "3f0c8c1e-6a55-4f0e-9d59-6b6f0f6b8f52",
    },
}


def complete(document: Json) -> None:
    """Put examples into the document, and say who may ask and which header tells when to come again."""
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}, {}]
    paths = document["paths"]
    asked = paths["/v1/judgments"]["post"]["responses"]
    for status, error in _ERROR_EXAMPLES.items():
        asked[status]["content"]["application/json"]["example"] = {"error": error}
    retry = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}
    for responses in (asked, paths["/v1/judgments/{id}/appeal"]["post"]["responses"]):
        responses["202"]["content"]["application/json"]["example"] = _JUDGMENT_EXAMPLE
        responses["429"]["headers"] = retry
    listed = paths["/v1/ensembles"]["get"]["responses"]["200"]["content"]["application/json"]
    listed["example"] = _ENSEMBLES_EXAMPLE
