"""The main subject and the medium of a picture, as a model names them."""

from __future__ import annotations

import json
import re
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from paradigms.render import clean


class Medium(StrEnum):
    """What kind of picture it is."""

    PHOTOGRAPH = "photograph"
    RENDER = "render"
    DRAWING = "drawing"
    SCREENSHOT = "screenshot"
    DOCUMENT = "document"
    OTHER = "other"


class Subject(BaseModel):
    """What a model says is to be seen, and in what kind of picture. None where it did not say so clearly."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phrase: str | None = None
    """A common noun phrase of at most five words, lower case."""
    medium: Medium | None = None


MAX_WORDS = 5
_LINE = re.compile(r"^[\s>*_#-]*(subject|medium)[\s*_]*[:=][\s*_]*(.{1,200}?)[\s*_.]*$", re.IGNORECASE | re.MULTILINE)
_SYNONYMS = {"photo": Medium.PHOTOGRAPH, "3d render": Medium.RENDER, "rendering": Medium.RENDER}
_SYNONYMS |= {"illustration": Medium.DRAWING, "painting": Medium.DRAWING, "cartoon": Medium.DRAWING}


def read_subject(text: str) -> Subject:
    """The lines `subject: …` and `medium: …` of an answer, in plain text or inside the JSON answer form.

    What a model writes here steers later prompts, so only a short phrase of plain words is taken.
    """
    found: dict[str, str] = {}
    for key, value in _LINE.findall(_unwrapped(text)):
        found.setdefault(key.lower(), value)
    return Subject(phrase=_phrase(found.get("subject", "")), medium=_medium(found.get("medium", "")))


def _unwrapped(text: str) -> str:
    """The reasoning of a JSON answer, or the text itself."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return text
    try:
        data = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return text
    if not isinstance(data, dict):
        return text
    return "\n".join(str(data.get("reasoning", "")) if key == "reasoning" else f"{key}: {data[key]}" for key in data)


def _phrase(value: str) -> str | None:
    words = re.sub(r"[^\w\s'’-]", " ", clean(value).lower()).split()
    words = words[1:] if words and words[0] in {"a", "an", "the"} else words
    return " ".join(words) if 0 < len(words) <= MAX_WORDS and all(len(word) <= 30 for word in words) else None


def _medium(value: str) -> Medium | None:
    name = clean(value).lower().strip(" .\"'")
    if name in _SYNONYMS:
        return _SYNONYMS[name]
    return Medium(name) if name in set(Medium) else None
