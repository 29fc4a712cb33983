"""What is wrong with a field of a request, in words for whoever sent it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Problem = Mapping[str, Any]
"""One entry of pydantic's list of errors."""

_PLACES = frozenset({"body", "query", "path", "header", "cookie"})
_WORDS: Mapping[str, str] = {
    "extra_forbidden": "there is no such field; GET /v1/openapi.json lists those that there are",
    "missing": "it is missing",
    "json_invalid": "it is not valid JSON",
    "enum": "it has to be {expected}",
    "literal_error": "it has to be {expected}",
    "string_type": "it has to be a text",
    "string_too_short": "it needs {min_length} or more characters",
    "string_too_long": "it may have {max_length} characters at most",
    "bool_type": "it has to be true or false",
    "bool_parsing": "it has to be true or false",
    "int_type": "it has to be a whole number",
    "int_parsing": "it has to be a whole number",
    "int_from_float": "it has to be a whole number",
    "float_type": "it has to be a number",
    "float_parsing": "it has to be a number",
    "finite_number": "it has to be a finite number",
    "greater_than": "it has to be more than {gt}",
    "greater_than_equal": "it has to be {ge} at least",
    "less_than": "it has to be less than {lt}",
    "less_than_equal": "it may be {le} at most",
    "timezone_aware": "it needs a time zone, as in 2026-11-01T00:00:00Z",
}
_TIME = "it has to be a time with its zone, as in 2026-11-01T00:00:00Z"
_OBJECT = "it has to be a JSON object"
_JSON = "it is not read as JSON; send a JSON object, and the header Content-Type: application/json"
_ADDRESS = "it has to begin with http:// or https://"
_FILE = "it has to be a file, as in `curl -F image=@photo.jpg`"


def field_of(problem: Problem) -> str:
    """The field's name, with dots for what lies inside; `body` for the whole body."""
    parts = [str(part) for part in problem["loc"]]
    # A place in broken JSON is no field.
    inner = [] if problem["type"] == "json_invalid" else parts[1:] if parts and parts[0] in _PLACES else parts
    return ".".join(inner) or "body"


def words_of(problem: Problem) -> str:
    """What is wrong, and what is expected. Never what was sent."""
    kind = str(problem["type"])
    return _template(kind, field_of(problem), problem.get("input")).format_map(_bounds(problem))


def _template(kind: str, name: str, given: object) -> str:
    if name == "body" and (isinstance(given, bytes) or kind == "missing"):
        return _JSON
    if kind in ("model_attributes_type", "model_type", "dict_type"):
        return _OBJECT
    if kind == "extra_forbidden" and name == "image":
        return _FILE
    if kind == "string_pattern_mismatch" and name == "url":
        return _ADDRESS
    if kind.startswith("datetime"):
        return _TIME
    return _WORDS.get(kind, "{said}")


def _bounds(problem: Problem) -> dict[str, object]:
    # People do not write 0 as 0.0.
    known = problem.get("ctx", {}).items()
    bounds = {name: f"{value:g}" if isinstance(value, float) else value for name, value in known}
    return bounds | {"said": problem["msg"]}
