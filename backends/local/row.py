"""A request as the tokens a model reads, and where its pictures lie among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

Tokens = numpy.ndarray[tuple[int], numpy.dtype[numpy.int64]]


@dataclass(frozen=True, slots=True)
class Span:
    """Where one picture lies: from the first of its placeholder tokens up to, not including, `end`."""

    start: int
    end: int
    key: str
    """Which encoding belongs there (`PictureEncoder.encode`)."""
    count: int
    """How many tokens of it are placeholders; there may be others between them."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """The tokens of one prompt, what kind each is (0 text, 1 picture), and its pictures in their order."""

    tokens: Tokens
    kinds: Tokens
    spans: tuple[Span, ...] = ()

    def __len__(self) -> int:
        return len(self.tokens)

    def first(self, length: int) -> Row:
        """The row of its first tokens; must not cut a picture."""
        spans = tuple(span for span in self.spans if span.end <= length)
        return Row(self.tokens[:length], self.kinds[:length], spans)

    def spans_from(self, start: int) -> tuple[Span, ...]:
        """The pictures that lie at or behind this place."""
        return tuple(span for span in self.spans if span.start >= start)


def in_common(rows: Sequence[Row]) -> int:
    """How many tokens all rows begin with, the same pictures included.

    Two pictures of one size have the same tokens, so it is their encodings that are compared. No picture is cut.
    """
    first, *others = rows
    length = len(first)
    for row in others:
        shorter = min(length, len(row))
        differ = numpy.flatnonzero(first.tokens[:shorter] != row.tokens[:shorter])
        length = int(differ[0]) if len(differ) else shorter
        for index, span in enumerate(first.spans):
            if span.start < length and (index >= len(row.spans) or row.spans[index] != span):
                length = span.start
    return whole_pictures(first, length)


def whole_pictures(row: Row, length: int) -> int:
    """`length`, or the start of the picture that it would cut."""
    for span in row.spans:
        if span.start < length < span.end:
            return span.start
    return length
