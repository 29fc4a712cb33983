"""Telling copies of one picture that were re-encoded or resized, by a few bits of what it shows."""

from __future__ import annotations

import numpy as np
import PIL.Image

NEAR = 10
"""Copies differ in at most this many of the 128 bits, inclusive."""
_GRID = 8
_LEAST_CONTRAST = 4.0
"""Standard deviation of the grey values, 0 to 255: below it the bits are noise."""


def likeness(pixels: PIL.Image.Image) -> int | None:
    """128 bits: whether it gets brighter to the right, and downwards, between cells of a coarse grid (a dHash).

    Compression, resizing and slight blur or noise change few of them; cropping, turning and mirroring change many.

    Returns:
        The bits, or None for a picture that is too plain to be told from another.
    """
    # Shrunk by plain averages first: a copy's own resizing must not matter.
    grey = pixels.convert("L").resize((4 * _GRID + 4, 4 * _GRID + 4), PIL.Image.Resampling.BOX)
    square = np.asarray(grey.resize((_GRID + 1, _GRID + 1), PIL.Image.Resampling.BOX), dtype=np.float32)
    if float(square.std()) < _LEAST_CONTRAST:
        return None
    rightwards = square[:-1, 1:] > square[:-1, :-1]
    downwards = square[1:, :-1] > square[:-1, :-1]
    return int.from_bytes(np.packbits(np.concatenate((rightwards.ravel(), downwards.ravel()))).tobytes())


def alike(one: int | None, other: int | None) -> bool:
    """Whether two pictures are copies of one, as far as these bits tell; unknown ones are like nothing."""
    return one is not None and other is not None and (one ^ other).bit_count() <= NEAR
