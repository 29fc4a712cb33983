"""Making text from a server fit for an error line: one line, short, without keys, image bytes or control characters."""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_CHARS = 300
_MAX_READ = 20_000
_KEYS = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|hf|nvapi|csk|fw)[-_](?=[\w\-*.]*[\d*])[\w\-*.]{8,}"
    r"|\bAIza[\w\-]{10,}|(?i:\bbearer)\s+[\w\-*.~+/=]{6,}"
)
_BYTES = re.compile(r"data:[\w/+.;-]*base64,[A-Za-z0-9+/=_-]*|[A-Za-z0-9+/=_-]{100,}")
_HIDDEN = "[hidden]"


def one_line(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` on one line of at most 300 characters, without `secrets`, what looks like a key, or image bytes."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, _HIDDEN)
    text = text[:_MAX_READ]
    text = _BYTES.sub("[bytes]", _KEYS.sub(_HIDDEN, text))
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 1] + "…"
