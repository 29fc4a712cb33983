"""Exact mirroring and tiling: content that a tool has repeated.

A measurement of *repeated content*. It does not say how the picture was made, so its evidence points to neither side.

The picture is made smaller, then reduced to its middle detail (brightness minus a coarser blur of it), so that plain
areas count for nothing. One Fourier transform along an axis gives the agreement with the flipped picture for every
mirror line, and with the shifted picture for every period. The best candidates are checked patch by patch: most patches
with texture have to agree in shape *and* strength with their counterpart. A front-on face or building stays far below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageFilter

from paradigms.evidence import Evidence
from paradigms.region import Region, RegionSource

_EDGE = 512
"""Longer side of the reduced picture, in its pixels, as for all lengths below."""
_GREY_FIRST = 4_000_000
"""Pixels of the original, at most, for a grey copy of its full size."""
_PATCH = 16
_MARGIN = 8
"""The blurs look this far: beside the border they see another neighbourhood than at a seam."""
_LONGEST_PERIOD = 0.55
"""Of a side. Half a side would be two whole copies; a little more allows for a last copy that is cut off."""
_SHORTEST_PERIOD = 12
_OFF_CENTRE = 0.2
"""How far from the middle of a side a mirror line may be, so that what it mirrors is most of the picture."""
_APART = 4
"""Every fourth row tells where candidates are: blurred rows side by side say the same. The check looks at all."""
_CANDIDATE = 0.5
"""Least agreement of the whole, at most 1, for a candidate to be checked patch by patch."""
_CANDIDATES = 6
_SAME = 0.9
"""Least agreement of two patches, at most 1, to count as the same."""
_SHARE = 0.85
"""Least share of the textured patches that have to be the same. Ordinary pictures have below 0.4, copies above 0.9."""
_FEWEST = 16
"""Fewest textured patches for a finding."""
_CONTRAST = 3.0
"""Least standard deviation of a textured patch, in grey levels out of 255: above what JPEG leaves on plain areas."""
_CROSSWISE = 0.1
"""Least strength of the weaker direction, as a share. Lines and edges alone repeat along themselves everywhere."""

_MIRROR_CAUSE = (
    "A mirror or kaleidoscope filter, padding by reflection, a montage, or a drawing, logo or test pattern that is "
    "symmetric by design."
)
_TILE_CAUSE = (
    "Wallpaper, fabric or a page background drawn as a repeating pattern, a test pattern, a texture for games, or a "
    "montage of one picture."
)
_REASONING = (
    "A scene in front of a camera hardly ever repeats itself this exactly, so a tool or a pattern has repeated it. "
    "That is said of the content; it does not say what made the picture."
)

_Array = NDArray[np.floating[Any]]
_Spectrum = NDArray[np.complexfloating[Any, Any]]
_Axis = Literal["x", "y"]


@dataclass(frozen=True, slots=True)
class _Match:
    """A candidate that was checked. `at` is the mirror line or the period, `start` and `stop` what is covered.

    Lengths are fractions of the side.
    """

    at: float
    start: float
    stop: float
    same: int
    textured: int

    @property
    def exact(self) -> bool:
        return self.textured >= _FEWEST and self.same >= _SHARE * self.textured


def find_repetition(pixels: PIL.Image.Image) -> tuple[Evidence, ...]:
    """Find exact mirroring and tiling of textured content.

    Args:
        pixels: the upright original in RGB, of any size from one pixel up.

    Returns:
        At most one observation each for mirroring left to right, tiling left to right, and the same top to bottom.
        They have no severity, point to neither side, and their region is what is repeated. Empty for ordinary
        pictures, and for those too small or too plain to tell.

    """
    detail = _detail(pixels)
    found: list[Evidence] = []
    axis: _Axis
    for axis, rows, length in (("x", detail, pixels.width), ("y", np.ascontiguousarray(detail.T), pixels.height)):
        if min(rows.shape) < 2 * _PATCH + 2 * _MARGIN:
            continue
        sample = rows[::_APART]
        spectrum, energy = np.fft.rfft(sample, 2 * rows.shape[1], axis=1), _energy(sample)
        if mirrored := _mirroring(rows, spectrum, energy):
            found.append(_mirror_evidence(mirrored, axis))
        if tiled := _tiling(rows, spectrum, energy):
            found.append(_tile_evidence(tiled, axis, length))
    return tuple(found)


def _detail(pixels: PIL.Image.Image) -> _Array:
    """Middle detail of the brightness: an array of height and width, at most `_EDGE` long, in grey levels around 0."""
    scale = min(1.0, _EDGE / max(pixels.size))
    size = (max(1, round(pixels.width * scale)), max(1, round(pixels.height * scale)))
    # Grey first is quicker, but of a large original that would be a large copy.
    if pixels.width * pixels.height <= _GREY_FIRST:
        pixels = pixels.convert("L")
    grey = pixels.resize(size, PIL.Image.Resampling.HAMMING, reducing_gap=2.0).convert("L")
    fine, coarse = (np.asarray(grey.filter(ImageFilter.BoxBlur(radius)), np.float32) for radius in (1, 6))
    return fine - coarse


def _mirroring(rows: _Array, spectrum: _Spectrum, energy: _Array) -> _Match | None:
    """The mirror line across the rows that is nearest to the middle, if there is an exact one.

    The pixel at x mirrors the one at `line` - x.
    """
    width = rows.shape[1]
    lines = np.arange(2 * width - 1)
    first, last = np.maximum(0, lines - width + 1), np.minimum(width - 1, lines) + 1
    sums = np.fft.irfft((spectrum * spectrum).sum(axis=0), 2 * width)[: 2 * width - 1]
    agreement = sums / (energy[last] - energy[first] + _floor(energy))
    reach = int(2 * _OFF_CENTRE * width)
    peaks = _peaks(agreement, width - 1 - reach, width + reach)
    for peak in sorted(peaks, key=lambda line: abs(line - (width - 1))):
        line = _refined(agreement, peak)
        start, stop = int(first[peak]), int(last[peak])
        flipped = _shifted(rows, line - peak)[:, start:stop][:, ::-1]
        half = (stop - start) // 2
        same, textured = _compare(rows[:, start : start + half], flipped[:, :half])
        match = _Match((line + 1) / 2 / width, start / width, stop / width, same, textured)
        if match.exact:
            return match
    return None


def _tiling(rows: _Array, spectrum: _Spectrum, energy: _Array) -> _Match | None:
    """The shortest exact period along the rows, if there is one."""
    width = rows.shape[1]
    periods = np.arange(width)
    sums = np.fft.irfft((spectrum * spectrum.conj()).real.sum(axis=0), 2 * width)[:width]
    agreement = 2 * sums / (energy[width - periods] + energy[width] - energy[periods] + _floor(energy))
    for peak in _peaks(agreement, _SHORTEST_PERIOD, int(_LONGEST_PERIOD * width) + 1):
        period = _refined(agreement, peak)
        ahead = _shifted(rows, period - peak)[:, peak:]
        inner = slice(_MARGIN, width - peak - _MARGIN)
        same, textured = _compare(rows[:, : width - peak][:, inner], ahead[:, inner])
        match = _Match(period / width, 0.0, 1.0, same, textured)
        if match.exact:
            return match
    return None


def _energy(rows: _Array) -> _Array:
    """Sum of squares left of each column: width + 1 values from 0 to the total."""
    return np.concatenate([[0.0], np.cumsum((rows * rows).sum(axis=0, dtype=np.float64))])


def _floor(energy: _Array) -> float:
    """What keeps the agreement of nearly plain parts near 0."""
    return float(1.0 + 1e-3 * energy[-1])


def _peaks(agreement: _Array, start: int, stop: int) -> list[int]:
    """Positions in `[start, stop)` of the local maxima that are candidates, in order."""
    start, stop = max(start, 1), min(stop, len(agreement) - 1)
    if start >= stop or agreement[start:stop].max() < _CANDIDATE:
        return []
    here = agreement[start:stop]
    local = (here >= agreement[start - 1 : stop - 1]) & (here >= agreement[start + 1 : stop + 1])
    high = np.flatnonzero(local & (here >= max(_CANDIDATE, 0.9 * here.max()))) + start
    return [int(position) for position in high[:_CANDIDATES]]


def _refined(agreement: _Array, peak: int) -> float:
    """The place of the peak to a fraction of a pixel: the top of the parabola through three values."""
    left, top, right = (float(value) for value in agreement[peak - 1 : peak + 2])
    bend = left - 2 * top + right
    return peak + (0.5 * (left - right) / bend if bend < 0 else 0.0)


def _shifted(rows: _Array, by: float) -> _Array:
    """The rows moved to the left by a fraction of a pixel."""
    width = rows.shape[1]
    turn = np.exp(2j * np.pi * np.fft.rfftfreq(width) * by)
    return np.fft.irfft(np.fft.rfft(rows, axis=1) * turn, width, axis=1)


def _compare(one: _Array, other: _Array) -> tuple[int, int]:
    """Number of textured patches that are the same in both, and number of textured patches."""
    down, across = np.gradient(one)
    xx, yy, xy = (_per_patch(np.asarray(product)) for product in (across**2, down**2, across * down))
    weaker = xx + yy - np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    energy = _per_patch(one * one) + _per_patch(other * other)
    textured = (energy >= 2 * (_CONTRAST * _PATCH) ** 2) & (weaker >= _CROSSWISE * (xx + yy))
    same = textured & (2 * _per_patch(one * other) >= _SAME * energy)
    return int(same.sum()), int(textured.sum())


def _per_patch(values: _Array) -> _Array:
    """Sums over whole patches."""
    down, across = values.shape[0] // _PATCH, values.shape[1] // _PATCH
    patches = values[: down * _PATCH, : across * _PATCH].reshape(down, _PATCH, across, _PATCH)
    return np.asarray(patches.sum(axis=(1, 3)))


def _mirror_evidence(match: _Match, axis: _Axis) -> Evidence:
    middle = abs(match.at - 0.5) < 0.01
    if axis == "x":
        where = "in the middle" if middle else f"at {match.at:.0%} of the width"
        what = f"The left side is the mirror image of the right side about a vertical line {where}"
    else:
        where = "in the middle" if middle else f"at {match.at:.0%} of the height"
        what = f"The upper side is the mirror image of the lower side about a horizontal line {where}"
    return _evidence("mirrored content", what, match, axis, _MIRROR_CAUSE)


def _tile_evidence(match: _Match, axis: _Axis, length: int) -> Evidence:
    direction = "from left to right" if axis == "x" else "from top to bottom"
    what = f"The picture repeats itself about every {match.at * length:.0f} pixels {direction}"
    return _evidence("tiled content", what, match, axis, _TILE_CAUSE)


def _evidence(name: str, what: str, match: _Match, axis: _Axis, cause: str) -> Evidence:
    start, stop = round(match.start, 4), round(match.stop, 4)
    box = (start, 0.0, stop, 1.0) if axis == "x" else (0.0, start, 1.0, stop)
    return Evidence(
        name=name,
        phenomenon=f"{what}: {match.same} of {match.textured} textured patches are the same in both.",
        reasoning=_REASONING,
        category="repetition",
        ordinary_cause=cause,
        region=Region(x0=box[0], y0=box[1], x1=box[2], y1=box[3]),
        region_source=RegionSource.MEASURED,
    )
