"""Boxes that models draw, mapped onto the original picture or dropped."""

from __future__ import annotations

import math
from collections.abc import Sequence

from backends.backend import BoxFormat
from paradigms.region import Region

OVERSHOOT = 1.0
"""How far past its scale a box may reach through rounding, in units of that scale: pixels or thousandths."""


def map_box(
    box: Sequence[float],
    listed: bool = False,
    *,
    box_format: BoxFormat | None,
    delivered: tuple[int, int],
    original: tuple[int, int],
) -> Region | None:
    """The region that a model meant, or None when that is not certain.

    Args:
        box: left, top, right and bottom edge as the model wrote them; a list in its own order.
        listed: the model wrote a bare list, without naming the edges.
        box_format: the scale of the model's boxes; None when unknown, and then only fractions are taken.
        delivered: width and height in pixels of the picture that the model was shown. It is the whole original,
            resized, so fractions of the one are fractions of the other.
        original: width and height in pixels of the original picture.

    """
    if len(box) != 4 or not all(math.isfinite(edge) for edge in box) or min(*delivered, *original) < 1:
        return None
    y_first = listed and box_format is BoxFormat.THOUSAND_Y_FIRST
    if all(0 <= edge <= 1 for edge in box) and box_format is not BoxFormat.UNIT:
        if y_first:
            return None  # fractions are not its habit, so nothing tells whether the order is
        # Only fractions are that small: whatever was declared, nobody draws a box of one pixel or one thousandth.
        # Without a fraction among them, though, nothing tells fractions from anything else.
        box_format = BoxFormat.UNIT if any(edge != int(edge) for edge in box) else None
    scale = _scale(box_format, delivered)
    if scale is None:
        return None
    if y_first:
        box = (box[1], box[0], box[3], box[2])
    edges = [_fraction(edge, scale[axis % 2]) for axis, edge in enumerate(box)]
    x0, y0, x1, y1 = edges
    if x0 is None or y0 is None or x1 is None or y1 is None or x0 >= x1 or y0 >= y1:
        return None
    return Region(x0=x0, y0=y0, x1=x1, y1=y1)


def _scale(box_format: BoxFormat | None, delivered: tuple[int, int]) -> tuple[float, float] | None:
    """What a full width and height measure in this format; None when unknown."""
    if box_format is BoxFormat.UNIT:
        return 1.0, 1.0
    if box_format in (BoxFormat.THOUSAND, BoxFormat.THOUSAND_Y_FIRST):
        return 1000.0, 1000.0
    if box_format is BoxFormat.PIXELS:
        return float(delivered[0]), float(delivered[1])
    return None


def _fraction(edge: float, full: float) -> float | None:
    """The edge as a fraction of `full`, a rounding overshoot cut off; None when it lies outside."""
    # One unit of a scale that runs from 0 to 1 would be the whole picture: fractions are allowed a thousandth.
    slack = OVERSHOOT if full > 1 else OVERSHOOT / 1000
    if not -slack <= edge <= full + slack:
        return None
    return min(max(edge / full, 0.0), 1.0)
