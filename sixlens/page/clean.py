"""Untrusted text, and text that gives something away, before it is put into a page."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fusion.explanation import quote
from paradigms.signals.provenance.text import plain

_PART = r"[^\s/:;,'\"<>()|]+"
_UNIX = re.compile(rf"(?<![\w/\\.@~-])(?:~[\w.-]*|\.{{1,2}})?(?:/{_PART}){{2,}}/?|(?<![\w/\\])~/{_PART}")
_FILE_URI = re.compile(r"\bfile:/+[^\s'\"<>]+", re.IGNORECASE)
_WINDOWS = re.compile(r"(?<![A-Za-z0-9])(?:[A-Za-z]:|\\\\[\w.-]+)[\\/][^\s:;,'\"<>()|]+")


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Makes text fit for a page: one bounded line, without control and bidi characters.

    Args:
        include_private: keep local paths; without it only their last part is shown.
    """

    include_private: bool = False
    path: str | None = None
    """The picture's own path; unlike others it is known, and found also when it has spaces in it."""

    def line(self, text: str, limit: int = 1000) -> str:
        """Text of ours, or of a file: everything is kept that may be shown."""
        kept = plain(text, limit * 2)
        if not self.include_private:
            kept = without_paths(kept.replace(self.path, _last(self.path)) if self.path else kept)
        return plain(kept, limit)

    def words(self, text: str, limit: int) -> str:
        """What a model wrote: without chances, generators named from looks, and words that claim too much."""
        return self.line(quote(text, limit), limit)


def without_paths(text: str) -> str:
    """The text with every path on this machine cut to its last part, as in `…/model.gguf`."""
    for pattern in (_FILE_URI, _WINDOWS, _UNIX):
        text = pattern.sub(_last_part, text)
    return text


def _last_part(found: re.Match[str]) -> str:
    return _last(found.group())


def _last(path: str) -> str:
    parts = [part for part in re.split(r"[\\/]", path.rstrip("\\/.")) if part]
    return f"…/{parts[-1]}" if len(parts) > 1 else path
