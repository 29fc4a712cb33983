"""Numbered regions over a picture, each a link to what is said of it. Drawn by style alone, without scripts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Side = Literal["generated", "real", "neither"]

_NEAR = 0.09
"""Numbers nearer than this, in fractions of the picture, would hide each other on a phone."""
_IN_A_ROW = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """One region of a picture. Its box is `#region-N`, what is said of it `#evidence-N`.

    Raises:
        ValueError: the box is not inside the picture, or the number is below 1.
    """

    number: int
    """From 1."""
    box: tuple[float, float, float, float]
    """x0, y0, x1, y1 in fractions of the picture, x to the right and y downwards."""
    side: Side
    label: str
    """What is read aloud, after its number."""

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = self.box
        if self.number < 1 or not (all(map(math.isfinite, self.box)) and 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
            raise ValueError("a mark has a number from 1 and a box inside the picture")

    @property
    def leftwards(self) -> bool:
        """Whether its number stands at the right edge of its box, and further ones to its left."""
        return self.box[0] + self.box[2] > 1

    @property
    def corner(self) -> tuple[float, float]:
        """Where its number belongs: an upper corner of the box."""
        return (self.box[2] if self.leftwards else self.box[0]), self.box[1]


def overlay_css(marks: Sequence[Mark]) -> str:
    """Where each region and its number stands, and that a region lights up when its evidence is the page's target."""
    return "\n".join(line for index, mark in enumerate(marks) for line in _rules(mark, marks[:index]))


def _rules(mark: Mark, before: Sequence[Mark]) -> Iterator[str]:
    x0, y0, x1, y1 = mark.box
    number = mark.number
    size = f"width:{100 * (x1 - x0):.2f}%;height:{100 * (y1 - y0):.2f}%"
    yield f"#region-{number}{{left:{100 * x0:.2f}%;top:{100 * y0:.2f}%;{size}}}"
    down, along = divmod(sum(_close(mark, other) for other in before), _IN_A_ROW)
    edge, start = ("right", 1 - x1) if mark.leftwards else ("left", x0)
    yield f"#number-{number}{{{edge}:{_inside(start, along)};top:{_inside(y0, down)}}}"
    yield f":root:has(#evidence-{number}:target) #region-{number}{{outline:4px solid var(--focus)}}"


def _inside(start: float, steps: int) -> str:
    """A distance from an edge of the picture, so that the number stays inside however small the picture is shown.

    `--number` of the base style is the room for one number.
    """
    return f"clamp(0px,calc({100 * start:.2f}% + {steps} * var(--number)),calc(100% - var(--number)))"


def _close(one: Mark, other: Mark) -> bool:
    near = all(abs(a - b) < _NEAR for a, b in zip(one.corner, other.corner, strict=True))
    return near and one.leftwards is other.leftwards
