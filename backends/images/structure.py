"""What the skeleton of a file says before anything is decoded: frames, pages and scans, by walks of bounded length.

A decoder trusts these numbers and works as long as they ask it to. A few bytes can ask for hours.
"""

from __future__ import annotations

import re
import struct

from backends.errors import ImageError

MOST_FRAMES = 10_000
"""Frames and pages are counted up to this number."""

_MOST_STEPS = 2_000_000
_MOST_VALUES = 1_000_000
_MOST_STRIPS = 400_000
_MOST_TAGS = 65_535

_NEW_SUBFILE_TYPE = 254
# The types whose values become one Python object each; bytes and texts are kept as they are.
_NUMBERS = frozenset({3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 16, 17, 18})
_STRIPS = frozenset({273, 279, 324, 325})
_DNG_VERSION = 50706

# Not a stuffed byte, not a restart marker, not padding: a marker that begins a segment or ends the picture.
_JPEG_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
_START_OF_PICTURE, _END_OF_PICTURE, _START_OF_SCAN = 0xD8, 0xD9, 0xDA


def jpeg_scans(data: bytes, enough: int) -> int:
    """Count the scans of the first picture in a JPEG file.

    Every scan is a pass over all pixels, however short it is. Up to `enough`, an upper bound is returned, which is
    much quicker to have.
    """
    rough = data.count(b"\xff\xda")
    if rough <= enough:
        return rough
    position, scans = 2, 0
    for _ in range(_MOST_STEPS):
        match = _JPEG_MARKER.search(data, position)
        if match is None:
            break
        marker, position = data[match.start() + 1], match.end()
        if marker == _END_OF_PICTURE:
            break
        if marker == _START_OF_PICTURE:
            continue
        scans += marker == _START_OF_SCAN
        position += max(2, int.from_bytes(data[position : position + 2]))
    return scans


def gif_frames(data: bytes) -> int:
    """Count the frames of a GIF file, at most `MOST_FRAMES`."""
    frames, in_blocks = 0, False
    try:
        position = 13 + _colour_table(data[10])
        for _ in range(_MOST_STEPS):
            lead = data[position]
            if in_blocks:
                position += lead + 1
                in_blocks = lead > 0
            elif lead == ord("!"):
                position += 2
                in_blocks = True
            elif lead == ord(",") and frames < MOST_FRAMES:
                frames += 1
                position += 11 + _colour_table(data[position + 9])
                in_blocks = True
            else:
                break
    except IndexError:
        pass  # a cut file: what came before the cut counts
    return max(1, frames)


def _colour_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def tiff_pages(data: bytes) -> int:
    """Count the pages of a TIFF file, at most `MOST_FRAMES`.

    Raises:
        ImageError: the first directory asks for absurd amounts of work, or it belongs to a camera raw file, of which
            only a preview could be read.

    """
    order = "<" if data[:2] == b"II" else ">"
    big = b"\x2b" in data[2:4]
    count, entry, pointer = ("Q", 20, "Q") if big else ("H", 12, "I")
    seen: set[int] = set()
    try:
        (offset,) = struct.unpack_from(order + pointer, data, 8 if big else 4)
        while offset and offset not in seen and len(seen) < MOST_FRAMES:
            (tags,) = struct.unpack_from(order + count, data, offset)
            first = offset + struct.calcsize(count)
            if not seen:
                _check_directory(data, first, tags, order + ("HHQQ" if big else "HHII"))
            seen.add(offset)
            (offset,) = struct.unpack_from(order + pointer, data, first + tags * entry)
    except (struct.error, OverflowError):
        pass  # a cut or damaged chain: what came before counts
    return max(1, len(seen))


def _check_directory(data: bytes, first: int, tags: int, layout: str) -> None:
    if tags > _MOST_TAGS:
        raise ImageError("the file is damaged: its TIFF directory is absurdly long")
    for index in range(tags):
        tag, kind, values, value = struct.unpack_from(layout, data, first + index * struct.calcsize(layout))
        if (kind in _NUMBERS and values > _MOST_VALUES) or (tag in _STRIPS and values > _MOST_STRIPS):
            raise ImageError("the file is damaged: its TIFF directory is absurdly long")
        if tag == _DNG_VERSION or (tag == _NEW_SUBFILE_TYPE and value & 1):
            raise ImageError("this is a camera raw file; export it as JPEG or TIFF")
