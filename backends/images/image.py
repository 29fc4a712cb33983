"""A picture as it was found: its bytes, what is known of them, its pixels, and what is delivered of it to models."""

from __future__ import annotations

import hashlib
import io
import math
import threading
from dataclasses import dataclass, field, replace
from typing import Self

import PIL.Image

from backends.images.decode import decode
from backends.images.rgb import to_srgb
from backends.request import Picture

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in fractions of the upright original, x to the right and y downwards."""

MAX_DELIVERED_EDGE = 16_384
"""The longest edge, in pixels, that a delivered picture may be asked to have."""

# Shrinking by three or more is done in two strides: plain averages first, Lanczos for the last factor of 1.5 to 3.
# Three times as fast as Lanczos alone; the two differ by less than JPEG at quality 90 changes.
_GAP = 1.5


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What is accepted as a picture. All bounds are inclusive."""

    max_bytes: int = 50 * 1024 * 1024
    """Size of the file, in bytes."""
    max_pixels: int = 100_000_000
    """Width times height, in pixels; checked before decoding. Pillow's own ceiling is 178 million."""
    max_edge: int = 65_500
    """Width and height, in pixels; the longest that a JPEG can have."""
    fetch_seconds: float = 15.0
    """Time to fetch an address, in seconds, from looking up its name to the last byte, redirects included."""
    max_redirects: int = 3
    """How many redirects are followed."""


DEFAULT_LIMITS = ImageLimits()


class _Pixels:
    """The decoded pixels of one image, for as long as they are kept."""

    __slots__ = ("decoded", "keep", "lock")

    def __init__(self, decoded: PIL.Image.Image) -> None:
        self.decoded: PIL.Image.Image | None = decoded
        self.keep = True
        self.lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Image:
    """A picture that was read and decoded without error. It does not change, and any thread may use it.

    The decoded pixels (4 bytes each) are kept from the first decoding until `release`, or until the end of a `with`
    block, so that everything made from one image costs one decoding. After that the image is still good for
    everything, but decodes each time. Use it like this, and a large batch needs no more memory than what is inside
    such blocks at once:

        with load_image("photo.jpg") as image:
            picture = image.deliver(1024)
            detail = image.crop((0.25, 0.25, 0.75, 0.75), 1024)
    """

    data: bytes = field(repr=False)
    """The original file."""
    sha256: str
    """Hex digest of `data`."""
    format: str
    """The format found, whatever the name says: `JPEG`, `MPO`, `PNG`, `WEBP`, `GIF`, `TIFF`, `BMP`, `AVIF`, `HEIF`."""
    width: int
    """Pixels of the upright original, as is `height`."""
    height: int
    frames: int
    """Frames or pages in the file; the first is the one that is used."""
    name: str
    """What to call it in front of people: one line of at most 120 harmless characters, without the folder."""
    path: str | None
    """The path or address as it was given, for the record; None if there was none."""
    notes: tuple[str, ...]
    """What a reader should know about how it was read, in plain sentences."""
    _profile: bytes | None = field(repr=False)
    _limits: ImageLimits = field(repr=False)
    _pixels: _Pixels = field(repr=False)
    perturbed_from: str | None = None
    """Hex digest of the file that this picture was made from; None for a picture as it was found."""

    @classmethod
    def read(
        cls,
        data: bytes,
        *,
        name: str,
        path: str | None = None,
        notes: tuple[str, ...] = (),
        limits: ImageLimits = DEFAULT_LIMITS,
    ) -> Self:
        """Decode a file completely and keep what is known of it.

        Raises:
            ImageError: it is no picture, or damaged, cut off or unsafe to decode; the message does not say `name`.

        """
        decoded = decode(data, limits.max_pixels, limits.max_edge)
        return cls(
            data=data,
            sha256=hashlib.sha256(data).hexdigest(),
            format=decoded.format,
            width=decoded.pixels.width,
            height=decoded.pixels.height,
            frames=decoded.frames,
            name=name,
            path=path,
            notes=(*notes, *decoded.notes),
            _profile=decoded.profile,
            _limits=limits,
            _pixels=_Pixels(decoded.pixels),
        )

    def pixels(self) -> PIL.Image.Image:
        """Return the upright pixels as RGB, in the colours of the file.

        They may be shared with other callers: copy them before you draw on them.
        """
        held = self._pixels
        with held.lock:
            if held.decoded is not None:
                return held.decoded
            pixels = decode(self.data, self._limits.max_pixels, self._limits.max_edge).pixels
            if held.keep:
                held.decoded = pixels
            return pixels

    def srgb(self) -> PIL.Image.Image:
        """Return the upright pixels as RGB in sRGB; like those of `pixels`, they may be shared."""
        return self.pixels() if self._profile is None else to_srgb(self.pixels(), self._profile)

    def replaced(self, data: bytes, note: str) -> Self:
        """Return another picture made from this one, under its name but without its path: that is another file.

        Args:
            data: the file of the other picture.
            note: what was done, one line.

        Raises:
            ImageError: the other picture is larger than a picture may be.

        """
        made = self.read(data, name=self.name, notes=(*self.notes, note), limits=self._limits)
        return replace(made, perturbed_from=self.perturbed_from or self.sha256)

    def release(self) -> None:
        """Let go of the decoded pixels."""
        with self._pixels.lock:
            self._pixels.keep = False
            self._pixels.decoded = None

    def noted(self, note: str) -> Self:
        """Return the same image with one more note in front."""
        return replace(self, notes=(note, *self.notes))

    def __enter__(self) -> Self:
        with self._pixels.lock:
            self._pixels.keep = True
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def deliver(self, max_edge: int, quality: int = 90) -> Picture:
        """Return the whole picture as a model gets it: RGB in sRGB, JPEG, no metadata.

        The same arguments give the same bytes.

        Args:
            max_edge: the longer edge of the result in pixels, at most; smaller pictures are not enlarged.
            quality: of the JPEG, 1 to 100.

        Raises:
            ValueError: an argument is out of range.

        """
        return self._encode((0, 0, self.width, self.height), max_edge, quality)

    def crop(self, box: Box, max_edge: int, quality: int = 90) -> Picture:
        """Return a part of the picture at its native resolution, reduced only if it is longer than `max_edge`.

        Args:
            box: the part, in fractions of the upright original; edges outside are cut off, and at least one pixel is
                returned.
            max_edge: the longer edge of the result in pixels, at most.
            quality: of the JPEG, 1 to 100.

        Raises:
            ValueError: the box is not finite, has no area or lies outside, or an argument is out of range.

        """
        return self._encode(self._to_pixels(box), max_edge, quality)

    def _to_pixels(self, box: Box) -> tuple[int, int, int, int]:
        if not all(math.isfinite(edge) for edge in box):
            raise ValueError(f"a box needs finite edges, not {box}")
        x0, y0, x1, y1 = (min(1.0, max(0.0, edge)) for edge in box)
        if not (x0 < x1 and y0 < y1):
            raise ValueError(f"a box needs x0 < x1 and y0 < y1 inside the picture, not {box}")
        left, right = _span(x0, x1, self.width)
        top, bottom = _span(y0, y1, self.height)
        return left, top, right, bottom

    def _encode(self, box: tuple[int, int, int, int], max_edge: int, quality: int) -> Picture:
        if not 1 <= max_edge <= MAX_DELIVERED_EDGE:
            raise ValueError(f"max_edge must be 1 to {MAX_DELIVERED_EDGE} pixels, not {max_edge}")
        if not 1 <= quality <= 100:
            raise ValueError(f"quality must be 1 to 100, not {quality}")
        piece = _cut(self.pixels(), box, max_edge)
        if self._profile is not None:
            piece = to_srgb(piece, self._profile)
        buffer = io.BytesIO()
        # Full colour resolution: colours that bleed over an edge would be taken for a defect of the picture.
        piece.save(buffer, "JPEG", quality=quality, subsampling="4:4:4")
        data = buffer.getvalue()
        return Picture(
            data=data,
            media_type="image/jpeg",
            sha256=hashlib.sha256(data).hexdigest(),
            width=piece.width,
            height=piece.height,
        )


def _span(start: float, end: float, length: int) -> tuple[int, int]:
    """Fractions of a length in whole pixels, at least one."""
    first = min(round(start * length), length - 1)
    return first, max(round(end * length), first + 1)


def _cut(pixels: PIL.Image.Image, box: tuple[int, int, int, int], max_edge: int) -> PIL.Image.Image:
    """Return a new image: the part in the box, shrunk so that its longer edge is at most `max_edge`."""
    width, height = box[2] - box[0], box[3] - box[1]
    longer = max(width, height)
    if longer <= max_edge:
        return pixels.resize((width, height), PIL.Image.Resampling.NEAREST, box=box)
    size = max(1, round(width * max_edge / longer)), max(1, round(height * max_edge / longer))
    return pixels.resize(size, PIL.Image.Resampling.LANCZOS, box=box, reducing_gap=_GAP)
