"""Untrusted text, and text that gives something away, before it is put into a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel

from fusion.explanation import quote
from fusion.verdict import Verdict
from paradigms.signals.provenance.text import plain

_PART = r"[^\s/:;,'\"<>()|]+"
_UNIX = re.compile(rf"(?<![\w/\\.@~-])(?:~[\w.-]*|\.{{1,2}})?(?:/{_PART}){{2,}}/?|(?<![\w/\\])~/{_PART}")
_FILE_URI = re.compile(r"\bfile:/+[^\s'\"<>]+", re.IGNORECASE)
_WINDOWS = re.compile(r"(?<![A-Za-z0-9])(?:[A-Za-z]:|\\\\[\w.-]+)[\\/][^\s:;,'\"<>()|]+")

_BEGINS_AS_PATH = re.compile(r"[/~\\]|\.{1,2}[/\\]|[A-Za-z]:[\\/]")
_SERVER = re.compile(r"@https?://\S*$", re.IGNORECASE)
_SHORTEST_BEGINNING = 4
"""Characters of a path before the end of a text that was cut: fewer tell nothing of it."""
_LONGEST_SERVED = 1000
"""Characters of a served model's name that are looked for: a server can send any number, and every beginning of a path
is compared with every text."""


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Makes text fit for a page: one bounded line, without control and bidi characters.

    Args:
        include_private: keep local paths; without it only their last part is shown.
        paths: those that are known. They are found also when they have spaces in them, which others are not.
    """

    include_private: bool = False
    paths: tuple[str, ...] = ()

    @classmethod
    def knowing(cls, paths: Iterable[str | None], *, include_private: bool = False) -> Self:
        """A cleaner that knows these paths, also as one line of text writes them."""
        known = {form for path in paths if path for form in (path, plain(path, len(path)))}
        # The longest first: one may be the beginning of another.
        return cls(include_private, tuple(sorted(known, key=lambda path: (-len(path), path))))

    @classmethod
    def of(cls, verdict: Verdict, *, include_private: bool = False) -> Self:
        """A cleaner that knows the paths of a verdict: the picture's, and those of the models that were asked."""
        reports = (*verdict.reports, *((verdict.panel,) if verdict.panel else ()))
        served = [report.model_served or "" for report in reports]
        paths = [
            verdict.image.path,
            *(path_in(report.backend or "") for report in reports),
            # What a server calls its model is the server's word: only what cannot be taken for other words is one.
            *(name[:_LONGEST_SERVED] for name in served if _BEGINS_AS_PATH.match(name)),
        ]
        return cls.knowing(paths, include_private=include_private)

    def line(self, text: str, limit: int = 1000) -> str:
        """Text of ours, or of a file: everything is kept that may be shown."""
        if self.include_private:
            return plain(text, limit)
        room = 2 * limit + sum(map(len, self.paths))
        return plain(without_paths(self._without_known(plain(text, room))), limit)

    def words(self, text: str, limit: int) -> str:
        """What a model wrote: without chances, generators named from looks, and words that claim too much."""
        return self.line(quote(text, limit), limit)

    def verdict(self, verdict: Verdict) -> Verdict:
        """The verdict without the known paths: from a text that was cut to its first sentence none is told any more."""
        if self.include_private or not self.paths:
            return verdict
        cleaned: Verdict = _with_texts(verdict, self._without_known)
        return cleaned

    def _without_known(self, text: str) -> str:
        for path in self.paths:
            text = _without_beginning(text.replace(path, _last(path)), path)
        return text


def path_in(spec: str) -> str | None:
    """The path on this machine in a backend's spec, as in `scripted:FILE` and `hf:FOLDER`; None when there is none."""
    provider, _, rest = spec.partition(":")
    rest = _SERVER.sub("", rest)
    # A model's name has slashes as well, but neither spaces nor the beginning of a path.
    spaced = bool(re.search(r"[/\\]", rest) and re.search(r"\s", rest))
    return rest if provider == "scripted" or spaced or _BEGINS_AS_PATH.match(rest) else None


def without_paths(text: str) -> str:
    """The text with every path on this machine cut to its last part, as in `…/model.gguf`."""
    for pattern in (_FILE_URI, _WINDOWS, _UNIX):
        text = pattern.sub(_last_part, text)
    return text


def _without_beginning(text: str, path: str) -> str:
    """A text that was cut off within a path, without that path's beginning."""
    if text.endswith("…"):
        for length in range(len(path) - 1, _SHORTEST_BEGINNING - 1, -1):
            if text.endswith(path[:length], 0, -1):
                return f"{text[: -1 - length]}…"
    return text


def _with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """A record with all its texts changed, however deep they lie."""
    match value:
        case BaseModel():
            fields = {name: _with_texts(getattr(value, name), change) for name in type(value).model_fields}
            return value.model_copy(update=fields)
        case tuple():
            return tuple(_with_texts(item, change) for item in value)
        case dict():
            return {name: _with_texts(item, change) for name, item in value.items()}
        case _:
            # Not the names of an enumeration, which are texts as well.
            return change(value) if type(value) is str else value


def _last_part(found: re.Match[str]) -> str:
    return _last(found.group())


def _last(path: str) -> str:
    parts = [part for part in re.split(r"[\\/]", path.rstrip("\\/.")) if part]
    return f"…/{parts[-1]}" if len(parts) > 1 else path
