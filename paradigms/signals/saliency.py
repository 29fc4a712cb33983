"""Where to look up close: a saliency proposal that needs no weights.

The map is the spectral residual of X. Hou and L. Zhang, *Saliency Detection: A Spectral Residual Approach* (CVPR 2007):
what the log-amplitude spectrum of a picture has beyond its own smooth trend, taken back into the picture. Here it is
summed over brightness and the two colour differences, and weighted towards the centre, where photographers put what
matters. Boxes of a few fixed shapes are then laid over the map, the one that holds most of it first.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from backends.errors import ConfigError
from paradigms.region import Region

_EDGE = 64
"""Longer side of the map, in its cells. The residual works at the scale of whole objects."""
_SHORT_EDGE = 16
"""Least side of the map: long strips are squeezed rather than reduced to nothing."""
_TINY = 32
"""Pixels of the original. Below this on either side, a part shows no more than the whole."""
_PLAIN = 4.0
"""Grey levels. If no cell differs by this much from those around it, no place stands out."""
_CENTRE_WIDTH = 0.3
"""Standard deviation of the centre weight, in sides."""
_SIDES = (0.22, 0.32, 0.45)
"""Sides of the boxes, in sides of the picture."""
_CONTEXT = 1.25
"""A region is this much wider and higher than its box. So its sides are about 0.28, 0.4 or 0.56 of the picture's."""
_SIZE_PRICE = 0.6
"""Between 0, where the largest box always wins, and 1, where the one of the highest mean does."""
_CENTRE = Region(x0=0.25, y0=0.25, x1=0.75, y1=0.75)

_Array = NDArray[np.floating[Any]]
_Cells = tuple[int, int, int, int]
"""A box on the map: x0, y0, x1, y1."""


class Proposal(BaseModel):
    """Regions of interest, largest interest first, and how they were found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    regions: tuple[Region, ...] = Field(min_length=1)
    """Each between 15 % and 60 % of either side, with little overlap."""
    method: Literal["saliency", "centre"]
    """`centre` when the picture is tiny or plain: one region, the middle."""


def propose_regions(pixels: PIL.Image.Image, count: int = 2) -> Proposal:
    """Propose where to look up close.

    Args:
        pixels: the upright original in RGB, of any size from one pixel up.
        count: how many regions are wanted, at least 1. There may be fewer.

    Raises:
        ConfigError: `count` is below 1.

    """
    if count < 1:
        raise ConfigError(f"The number of regions must be at least 1, not {count}.")
    if min(pixels.size) < _TINY:
        return Proposal(regions=(_CENTRE,), method="centre")
    channels = _reduced(pixels)
    # Beside the border a mere gradient would differ, so two cells are left out there.
    if np.abs(channels[0] - _smoothed(channels[0], 2))[2:-2, 2:-2].max() < _PLAIN:
        return Proposal(regions=(_CENTRE,), method="centre")
    boxes = _best_boxes(_saliency(channels), count)
    height, width = channels[0].shape
    return Proposal(regions=tuple(_region(box, width, height) for box in boxes), method="saliency")


def _reduced(pixels: PIL.Image.Image) -> list[_Array]:
    """Brightness and the two colour differences of the picture, reduced to the size of the map."""
    scale = _EDGE / max(pixels.size)
    size = (max(_SHORT_EDGE, round(pixels.width * scale)), max(_SHORT_EDGE, round(pixels.height * scale)))
    small = pixels.resize(size, PIL.Image.Resampling.BOX, reducing_gap=2.0).convert("YCbCr")
    return [np.asarray(band, np.float64) for band in small.split()]


def _saliency(channels: list[_Array]) -> _Array:
    """The map: how much each cell stands out, 0 or more."""
    total = np.zeros_like(channels[0])
    for channel in channels:
        spectrum = np.fft.fft2(channel)
        # Amplitudes of zero are common in drawn pictures; their logarithm is not wanted.
        logs = np.log(np.abs(spectrum) + 1e-3)
        residual = np.exp(logs - _smoothed(logs, 1) + 1j * np.angle(spectrum))
        # The mean is no detail, and in a channel of little contrast it would outweigh everything else.
        residual[0, 0] = 0
        # A channel of no contrast, such as the colours of a grey picture, has a residual of mere rounding.
        total += channel.std() * np.abs(np.fft.ifft2(residual)) ** 2
    height, width = total.shape
    rows, columns = ((np.arange(length) + 0.5) / length - 0.5 for length in (height, width))
    distance = rows[:, None] ** 2 + columns[None, :] ** 2
    return np.asarray(_smoothed(_smoothed(total, 1), 1) * np.exp(-distance / (2 * _CENTRE_WIDTH**2)))


def _best_boxes(saliency: _Array, count: int) -> list[_Cells]:
    """The boxes that hold most of the map, one after another. What one covers counts against the next."""
    left = saliency.copy()
    boxes: list[_Cells] = []
    while len(boxes) < count:
        table = _table(left)
        value, (x0, y0, x1, y1) = max(_best_box(table, down, across) for down in _SIDES for across in _SIDES)
        if value <= 0:
            break
        boxes.append((x0, y0, x1, y1))
        left[y0:y1, x0:x1] = -saliency[y0:y1, x0:x1]
    return boxes


def _best_box(table: _Array, down: float, across: float) -> tuple[float, _Cells]:
    """The best place for a box of one shape, with its value."""
    height, width = round(down * (table.shape[0] - 1)), round(across * (table.shape[1] - 1))
    sums = _window_sums(table, height, width)
    y, x = (int(index) for index in np.unravel_index(sums.argmax(), sums.shape))
    return float(sums[y, x]) / (height * width) ** _SIZE_PRICE, (x, y, x + width, y + height)


def _region(box: _Cells, width: int, height: int) -> Region:
    """The box with context around it, in fractions. At the border it is moved inwards, not cut."""
    x0, x1 = _widened(box[0] / width, box[2] / width)
    y0, y1 = _widened(box[1] / height, box[3] / height)
    return Region(x0=x0, y0=y0, x1=x1, y1=y1)


def _widened(low: float, high: float) -> tuple[float, float]:
    side = (high - low) * _CONTEXT
    start = min(max((low + high - side) / 2, 0.0), 1.0 - side)
    return round(start, 4), round(start + side, 4)


def _smoothed(values: _Array, reach: int) -> _Array:
    """The mean over a square of 2 · reach + 1 cells; the border is continued outwards."""
    side = 2 * reach + 1
    return _window_sums(_table(np.pad(values, reach, mode="edge")), side, side) / side**2


def _table(values: _Array) -> _Array:
    """The sum of the values above and left of each corner of a cell: one row and one column more than `values`."""
    table = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    np.cumsum(values.cumsum(axis=0), axis=1, out=table[1:, 1:])
    return table


def _window_sums(table: _Array, height: int, width: int) -> _Array:
    """The sum over each window of that size that lies inside."""
    return np.asarray(
        table[height:, width:] - table[:-height, width:] - table[height:, :-width] + table[:-height, :-width]
    )
