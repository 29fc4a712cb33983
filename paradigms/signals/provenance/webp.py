"""WebP chunks."""

from __future__ import annotations

from paradigms.signals.provenance.container import Chunks, Container, little
from paradigms.signals.provenance.text import MAX_BYTES

MAX_CHUNKS = 20_000


def is_webp(data: bytes) -> bool:
    """Whether the file starts as a WebP does."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def chunks(data: bytes) -> Chunks:
    """Every whole chunk, in order, up to 20,000."""
    position = 12
    for _ in range(MAX_CHUNKS):
        kind, size = data[position : position + 4], little(data, position + 4, 4)
        start = position + 8
        if len(kind) < 4 or start + size > len(data):
            return
        yield kind, start, start + size
        position = start + size + size % 2


def read_webp(data: bytes) -> Container:
    """EXIF, XMP, and whether a manifest is embedded."""
    found = Container(media_type="image/webp")
    for kind, start, end in chunks(data):
        if kind == b"C2PA":
            found.manifest = True
        elif kind not in (b"EXIF", b"XMP "):
            continue
        elif end - start > MAX_BYTES:
            found.overflow()
        elif kind == b"EXIF":
            found.set_exif(data[start:end])
        else:
            found.add_xmp(data[start:end])
    return found
