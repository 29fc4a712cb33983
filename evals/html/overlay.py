"""Numbered regions over a picture, each a link to what is said of it. Drawn by style alone, without scripts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Side = Literal["generated", "real", "neither"]

_NEAR = 0.06
"""Corners nearer than this, in fractions of the picture, would hide each other's numbers."""
_LATE = 0.88
"""A number that begins beyond this fraction would leave the picture, and goes to the other end of its box."""
_STEP = 1.9
"""Room for one number, in rem."""
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


def overlay_css(marks: Sequence[Mark]) -> str:
    """Where each region and its number stands, and that a region lights up when its evidence is the page's target."""
    return "\n".join(line for index, mark in enumerate(marks) for line in _rules(mark, marks[:index]))


def _rules(mark: Mark, before: Sequence[Mark]) -> Iterator[str]:
    x0, y0, x1, y1 = mark.box
    name = f"#region-{mark.number}"
    yield (
        f"{name}{{left:{100 * x0:.2f}%;top:{100 * y0:.2f}%;width:{100 * (x1 - x0):.2f}%;height:{100 * (y1 - y0):.2f}%}}"
    )
    near = sum(_close(mark, other) for other in before)
    down, along = divmod(near, _IN_A_ROW)
    side, edge = ("right" if x0 > _LATE else "left"), ("bottom" if y0 > _LATE else "top")
    yield f"{name} .number{{{side}:{_STEP * along:.1f}rem;{edge}:{_STEP * down:.1f}rem}}"
    yield f":root:has(#evidence-{mark.number}:target) {name}{{outline:4px solid var(--focus)}}"


def _close(one: Mark, other: Mark) -> bool:
    return abs(one.box[0] - other.box[0]) < _NEAR and abs(one.box[1] - other.box[1]) < _NEAR
