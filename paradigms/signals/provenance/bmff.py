"""AVIF and HEIC: the items of an ISO base media file."""

from __future__ import annotations

from paradigms.signals.provenance.container import Chunks, Container, big
from paradigms.signals.provenance.text import MAX_BYTES

MAX_BOXES = 2_000
MAX_ITEMS = 2_000

_MANIFEST_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_AVIF = (b"avif", b"avis")
_BRANDS = (*_AVIF, b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")


def is_bmff(data: bytes) -> bool:
    """Whether the file starts as AVIF or HEIC does."""
    return data[4:8] == b"ftyp" and data[8:12] in _BRANDS


def _boxes(data: bytes, start: int, end: int) -> Chunks:
    for _ in range(MAX_BOXES):
        size, kind, head = big(data, start, 4), data[start + 4 : start + 8], 8
        if size == 1:
            size, head = big(data, start + 8, 8), 16
        size = size or end - start
        if len(kind) < 4 or size < head or start + size > end:
            return
        yield kind, start + head, start + size
        start += size


def read_bmff(data: bytes) -> Container:
    """EXIF, XMP, and whether a manifest is embedded."""
    found = Container(media_type="image/avif" if data[8:12] in _AVIF else "image/heic")
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind == b"uuid" and data[start : start + 16] == _MANIFEST_UUID:
            found.manifest = True
        elif kind == b"meta":
            _read_items(found, data, start + 4, end)
    return found


def _read_items(found: Container, data: bytes, start: int, end: int) -> None:
    inside = {kind: (first, last) for kind, first, last in _boxes(data, start, end)}
    if b"iinf" not in inside or b"iloc" not in inside:
        return
    base = inside.get(b"idat", (0, 0))[0]
    wanted = _wanted(data, *inside[b"iinf"])
    for item, (in_idat, offset, size) in _locations(data, *inside[b"iloc"]).items():
        kind = wanted.get(item)
        offset += base if in_idat else 0
        if kind is None or offset + size > len(data):
            continue
        if size > MAX_BYTES:
            found.overflow()
        elif kind == b"Exif":
            found.set_exif(data[offset + 4 + big(data, offset, 4) : offset + size])
        else:
            found.add_xmp(data[offset : offset + size])


def _wanted(data: bytes, start: int, end: int) -> dict[int, bytes]:
    """The items that are EXIF or XMP, by number."""
    wanted = {}
    head = 6 if data[start : start + 1] == b"\0" else 8
    for kind, first, last in _boxes(data, start + head, end):
        version = big(data, first, 1)
        if kind != b"infe" or version < 2:
            continue
        width = 2 if version == 2 else 4
        item, at = big(data, first + 4, width), first + 4 + width + 2
        tag = data[at : at + 4]
        if tag == b"Exif" or (tag == b"mime" and b"application/rdf+xml" in data[at:last]):
            wanted[item] = tag
    return wanted


def _locations(data: bytes, start: int, end: int) -> dict[int, tuple[bool, int, int]]:
    """The first extent of each item: whether it counts from the item data box, its offset and its size."""
    version, sizes = big(data, start, 1), big(data, start + 4, 2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    number = 4 if version == 2 else 2
    position = start + 6 + number
    found = {}
    for _ in range(min(big(data, start + 6, number), MAX_ITEMS)):
        item, position = big(data, position, number), position + number
        in_idat = False
        if version in (1, 2):
            in_idat, position = big(data, position, 2) & 15 == 1, position + 2
        position += 2
        base, position = big(data, position, base_size), position + base_size
        extents, position = big(data, position, 2), position + 2
        at = position + index_size
        found[item] = (in_idat, base + big(data, at, offset_size), big(data, at + offset_size, length_size))
        position += extents * (index_size + offset_size + length_size)
        if position > end:
            break
    return found
