"""JPEG segments, up to the start of the pixels."""

from __future__ import annotations

from paradigms.signals.provenance.container import Container, big
from paradigms.signals.provenance.text import MAX_BYTES, decode

SIGNATURE = b"\xff\xd8\xff"
MAX_SEGMENTS = 20_000

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_START_OF_SCAN, _END = 0xDA, 0xD9


def read_jpeg(data: bytes) -> Container:
    """EXIF, XMP, Photoshop resources, comments, and whether a manifest is embedded."""
    found = Container(media_type="image/jpeg")
    position = 2
    for _ in range(MAX_SEGMENTS):
        if data[position : position + 1] != b"\xff":
            break
        marker = big(data, position + 1, 1)
        if marker == 0xFF:
            position += 1
            continue
        size = big(data, position + 2, 2)
        if marker in (_START_OF_SCAN, _END) or size < 2 or position + 2 + size > len(data):
            break
        _add_segment(found, marker, data[position + 4 : position + 2 + size])
        position += 2 + size
    return found


def _add_segment(found: Container, marker: int, payload: bytes) -> None:
    if marker == 0xE1 and payload.startswith(b"Exif\0"):
        found.set_exif(payload[6:])
    elif marker == 0xE1 and payload.startswith(_XMP):
        found.add_xmp(payload[len(_XMP) :])
    elif marker == 0xEB and payload.startswith(b"JP") and payload[12:16] == b"jumb":
        found.manifest = True
    elif marker == 0xED and payload.startswith(_PHOTOSHOP) and len(found.photoshop) < MAX_BYTES:
        found.photoshop += payload[len(_PHOTOSHOP) :]
    elif marker == 0xFE:
        found.add_text("jpeg:comment", "", decode(payload))
