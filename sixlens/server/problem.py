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
    "string_unicode": "it has to be a text without half characters",
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
_ELSE = "it is not what is expected here; GET /v1/openapi.json says what is"
_TIME = "it has to be a time with its zone, as in 2026-11-01T00:00:00Z"
_OBJECT = "it has to be a JSON object"
_JSON = "it is not read as JSON; send a JSON object, and the header Content-Type: application/json"
_ADDRESS = "it has to begin with http:// or https://"
_FORM: Mapping[str, str] = {
    "Too many files": "it has more than one file",
    "Too many fields": "it has too many fields",
    "Field exceeded": "one of its fields is too long",
    "Part exceeded": "one of its fields is too long",
    "Missing boundary": "its Content-Type names no boundary",
    "The Content-Disposition": "one of its fields has no name",
}
"""By how the reader's own message begins."""
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


def form_words(said: str) -> str:
    """What is wrong with a form, from what its reader says of it."""
    return next((words for begins, words in _FORM.items() if said.startswith(begins)), "it is broken, or breaks off")


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
    return _WORDS.get(kind, _ELSE)


def _bounds(problem: Problem) -> dict[str, object]:
    # People do not write 0 as 0.0.
    known = problem.get("ctx", {}).items()
    return {name: f"{value:g}" if isinstance(value, float) else value for name, value in known}
