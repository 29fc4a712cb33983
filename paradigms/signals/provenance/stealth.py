"""Text hidden in the lowest bits of the pixels, as some generators write it: `stealth_pnginfo` and its relatives.

The bits run down the columns, from left to right: 15 bytes of mark, 4 bytes with the length in bits, then the text.
They lie in the alpha channel, or in red, green and blue. The first column is enough to see whether there is a mark, and
in a PNG it can be had without decoding the picture; only a marked picture is decoded.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from paradigms.signals.provenance import png, webp
from paradigms.signals.provenance.container import TextField, big, inflate, little
from paradigms.signals.provenance.text import MAX_BYTES

MAX_PIXELS = 25_000_000
"""A larger picture is not decoded, marked or not."""
MAX_UNMARKED_PIXELS = 4_000_000
"""A larger picture is not decoded just to see whether it is marked."""

_MARK_BYTES = 15
_LENGTH_BYTES = 4
_ROWS = 8 * _MARK_BYTES
_MARKS = {
    b"stealth_pnginfo": (True, False),
    b"stealth_pngcomp": (True, True),
    b"stealth_rgbinfo": (False, False),
    b"stealth_rgbcomp": (False, True),
}
"""Whether the text lies in the alpha channel, and whether it is compressed."""
_CHANNELS = {2: 3, 6: 4}
"""Channels of the PNG colour types that can carry it."""
_MAX_HEAD = 16 * 1024 * 1024
_DECODER_ERRORS = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)

Pixels = NDArray[np.uint8]
"""Rows, columns, channels."""


def read_stealth(data: bytes, media_type: str) -> TextField | None:
    """The hidden text of a PNG or a lossless WebP; None when there is none."""
    pixels = None
    if media_type == "image/png":
        pixels = _marked_png(data)
    elif media_type == "image/webp":
        pixels = _lossless_webp(data)
    if pixels is None:
        return None
    mark = next((mark for mark in _MARKS if _bits(pixels, _MARKS[mark][0], 0, _MARK_BYTES) == mark), None)
    if mark is None:
        return None
    alpha, compressed = _MARKS[mark]
    where = "stealth-alpha" if alpha else "stealth-rgb"
    payload: bytes | None = _payload(pixels, alpha)
    if payload and compressed:
        payload = inflate(payload, MAX_BYTES, gzip=True)
    return TextField(where, mark.decode("ascii"), (payload or b"").decode("utf-8", "replace"))


def _payload(pixels: Pixels, alpha: bool) -> bytes:
    size = big(_bits(pixels, alpha, _MARK_BYTES, _LENGTH_BYTES), 0, _LENGTH_BYTES) // 8
    return _bits(pixels, alpha, _MARK_BYTES + _LENGTH_BYTES, min(size, MAX_BYTES))


def _bits(pixels: Pixels, alpha: bool, start: int, size: int) -> bytes:
    """`size` hidden bytes from byte `start` on; fewer when the picture ends before."""
    rows, columns, channels = pixels.shape
    if alpha and channels < 4:
        return b""
    used = 1 if alpha else 3
    needed = -(-8 * (start + size) // (rows * used))
    part = pixels[:, : min(needed, columns), 3:4] if alpha else pixels[:, : min(needed, columns), :3]
    stream = (part & 1).transpose(1, 0, 2).reshape(-1)
    return np.packbits(stream[8 * start : 8 * (start + size)]).tobytes()


@dataclass(frozen=True, slots=True)
class _Header:
    """What a PNG's first chunk says."""

    width: int
    height: int
    channels: int
    interlaced: bool


def _marked_png(data: bytes) -> Pixels | None:
    header = _header(data)
    if header is None or header.width * header.height > MAX_PIXELS:
        return None
    if header.height >= _ROWS and not header.interlaced:
        column = _first_column(data, header)
        marked = column is not None and any(
            _bits(column, alpha, 0, _MARK_BYTES) == mark for mark, (alpha, _) in _MARKS.items()
        )
        return _decode(_bare_png(data)) if marked else None
    return _decode(_bare_png(data)) if header.width * header.height <= MAX_UNMARKED_PIXELS else None


def _header(data: bytes) -> _Header | None:
    """The header of a PNG with 8 bits a channel and at least three channels; None for any other."""
    kind, start, end = next(png.chunks(data), (b"", 0, 0))
    if kind != b"IHDR" or end - start != 13 or data[start + 8] != 8 or data[start + 9] not in _CHANNELS:
        return None
    width, height = big(data, start, 4), big(data, start + 4, 4)
    return _Header(width, height, _CHANNELS[data[start + 9]], data[start + 12] != 0) if width and height else None


def _first_column(data: bytes, header: _Header) -> Pixels | None:
    """The first pixel of each of the first 120 rows. Left of it there is nothing, which leaves two kinds of filter."""
    stride = 1 + header.width * header.channels
    if stride * _ROWS > _MAX_HEAD:
        return None
    raw = _inflate_chunks((data[start:end] for kind, start, end in png.chunks(data) if kind == b"IDAT"), stride * _ROWS)
    if len(raw) < stride * _ROWS:
        return None
    column = np.zeros((_ROWS, 1, header.channels), dtype=np.uint8)
    above = [0] * header.channels
    for row in range(_ROWS):
        start = row * stride
        kind, pixel = raw[start], raw[start + 1 : start + 1 + header.channels]
        if kind in (2, 4):
            above = [(a + b) & 255 for a, b in zip(above, pixel, strict=True)]
        elif kind == 3:
            above = [(a // 2 + b) & 255 for a, b in zip(above, pixel, strict=True)]
        else:
            above = list(pixel)
        column[row, 0] = above
    return column


def _inflate_chunks(parts: Iterable[bytes], size: int) -> bytes:
    stream, raw = zlib.decompressobj(), b""
    for part in parts:
        try:
            raw += stream.decompress(part, size - len(raw))
        except zlib.error:
            break
        if len(raw) >= size:
            break
    return raw


def _bare_png(data: bytes) -> bytes:
    """The picture without its texts, so that the decoder sees nothing but pixels."""
    kept = [data[start - 8 : end + 4] for kind, start, end in png.chunks(data) if kind in (b"IHDR", b"IDAT")]
    return png.SIGNATURE + b"".join(kept) + struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))


def _lossless_webp(data: bytes) -> Pixels | None:
    """The pixels of a still WebP that is small enough, by its canvas and by its only frame."""
    for kind, start, _ in webp.chunks(data):
        if kind == b"VP8X":
            pixels = (little(data, start + 4, 3) + 1) * (little(data, start + 7, 3) + 1)
        elif kind == b"VP8L":
            size = little(data, start + 1, 4)
            pixels = ((size & 0x3FFF) + 1) * ((size >> 14 & 0x3FFF) + 1)
        else:
            pixels = 0
        if pixels > MAX_UNMARKED_PIXELS or kind in (b"VP8 ", b"ANMF"):
            return None
        if kind == b"VP8L":
            return _decode(data)
    return None


def _decode(data: bytes) -> Pixels | None:
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "WEBP")) as picture:
            if picture.mode not in ("RGB", "RGBA") or picture.width * picture.height > MAX_PIXELS:
                return None
            return np.asarray(picture)
    except _DECODER_ERRORS:
        return None
