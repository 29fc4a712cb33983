"""GIF comments and XMP."""

from __future__ import annotations

from paradigms.signals.provenance.container import Container, big
from paradigms.signals.provenance.text import MAX_BYTES, decode

SIGNATURES = (b"GIF87a", b"GIF89a")
MAX_BLOCKS = 50_000

_EXTENSION, _IMAGE = 0x21, 0x2C
_COMMENT, _APPLICATION = 0xFE, 0xFF
_XMP = b"\x0bXMP DataXMP"
_MANIFEST = b"\x0bC2PA_GIF"
_XMP_END = b"\x01\xff\xfe\xfd"


def read_gif(data: bytes) -> Container:
    """Comments and XMP among the first 50,000 blocks."""
    found = Container(media_type="image/gif")
    position, room = 13 + _table(big(data, 10, 1)), MAX_BLOCKS
    while room > 0 and position < len(data):
        kind = data[position]
        if kind == _EXTENSION:
            label = big(data, position + 1, 1)
            end, used = _skip(data, position + 2, room)
            _add_extension(found, label, data, position + 2, end)
        elif kind == _IMAGE:
            end, used = _skip(data, position + 11 + _table(big(data, position + 9, 1)), room)
        else:
            break
        position, room = end, room - used
    return found


def _table(flags: int) -> int:
    """Bytes of a colour table."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip(data: bytes, position: int, room: int) -> tuple[int, int]:
    """Where a chain of at most `room` sub-blocks ends, and how many there were."""
    for used in range(1, room + 1):
        size = big(data, position, 1)
        position += 1 + size
        if size == 0 or position >= len(data):
            return position, used
    return position, room


def _add_extension(found: Container, label: int, data: bytes, start: int, end: int) -> None:
    if end - start > MAX_BYTES:
        found.overflow()
    elif label == _COMMENT:
        found.add_text("gif:comment", "", decode(_joined(data, start, end)))
    elif label == _APPLICATION and data.startswith(_MANIFEST, start):
        found.manifest = True
    elif label == _APPLICATION and data.startswith(_XMP, start):
        body = start + len(_XMP)
        stop = data.find(_XMP_END, body, body + MAX_BYTES)
        if stop > body:
            found.add_xmp(data[body:stop])


def _joined(data: bytes, start: int, end: int) -> bytes:
    parts = []
    while start < end and (size := data[start]):
        parts.append(data[start + 1 : start + 1 + size])
        start += 1 + size
    return b"".join(parts)
