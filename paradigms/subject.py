"""The main subject and the medium of a picture, as a model names them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict

from paradigms.render import clean, spoken


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
MAX_LETTERS = 30
"""Of one word."""
MAX_UNCASED = 12
"""Of one word in a script without capitals: some of these, such as Chinese, put no spaces between words."""
MAX_READ = 20_000
"""Characters of an answer that are looked at."""
_KEY = re.compile(r"\b(subject|medium)\b[\"'*_ ]*[:=]", re.IGNORECASE)
_PREJUDGING = frozenset({"ai", "authentic", "fake", "generated", "genuine", "real", "synthetic", "undecided"})
"""Words that would tell later questions what to find; they are left out."""
_ORDERS = frozenset({"answer", "disregard", "forget", "ignore", "instruction", "instructions", "respond", "verdict"})
"""Words of somebody who gives orders, not of somebody who names what is to be seen."""
_MEDIA: Mapping[str, Medium] = MappingProxyType(
    {medium.value: medium for medium in Medium}
    | dict.fromkeys(("photo", "photography", "photographic"), Medium.PHOTOGRAPH)
    | dict.fromkeys(("rendering", "cgi"), Medium.RENDER)
    | dict.fromkeys(("illustration", "painting", "cartoon", "sketch"), Medium.DRAWING)
)


def read_subject(text: str) -> Subject:
    """The lines `subject: …` and `medium: …` of an answer, in plain text or inside the JSON answer form.

    What a model writes here steers later prompts, so only a short phrase of plain words is taken.
    """
    found: dict[str, str] = {}
    parts = _KEY.split(clean(_unwrapped(spoken(text)[:MAX_READ])))
    for key, value in zip(parts[1::2], parts[2::2], strict=True):
        line = value.strip(" \"'*_\n").partition("\n")[0]
        if line:
            found.setdefault(key.lower(), line)
    return Subject(phrase=_phrase(found.get("subject", "")), medium=_medium(found.get("medium", "")))


def _unwrapped(text: str) -> str:
    """The fields of a JSON answer as lines, or the text itself."""
    start, end = text.find("{"), text.rfind("}")
    try:
        data = json.loads(text[start : end + 1]) if 0 <= start < end else None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        return text.replace("\\n", "\n")
    fields = {key: value for key, value in data.items() if isinstance(value, str)}
    return "\n".join([fields.pop("reasoning", ""), *(f"{key}: {value}" for key, value in fields.items())])


def _phrase(value: str) -> str | None:
    """The value as a phrase, or None when it is too long, empty or anything else than a phrase."""
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" or c in "-'’" else " " for c in value.lower())
    words = [word for part in kept.split() if (word := part.strip("-'’")) and _PREJUDGING.isdisjoint(word.split("-"))]
    words = words[1:] if words and words[0] in {"a", "an", "the"} else words
    if len(words) > MAX_WORDS or not all(_is_plain(word) for word in words):
        return None
    return " ".join(words) or None


def _is_plain(word: str) -> bool:
    uncased = sum(unicodedata.category(c) == "Lo" for c in word)
    return len(word) <= MAX_LETTERS and uncased <= MAX_UNCASED and _ORDERS.isdisjoint(word.split("-"))


def _medium(value: str) -> Medium | None:
    """The one medium that the value names."""
    named = {medium for word, medium in _MEDIA.items() if re.search(rf"\b{word}s?\b", value[:200], re.IGNORECASE)}
    return named.pop() if len(named) == 1 else None
