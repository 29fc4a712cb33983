"""PNG chunks."""

from __future__ import annotations

from paradigms.signals.provenance.container import MAX_TOTAL, Chunks, Container, big, inflate
from paradigms.signals.provenance.text import MAX_BYTES, decode

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 50_000

_XMP = "XML:com.adobe.xmp"
_RAW_PROFILE = "raw profile type "


def chunks(data: bytes) -> Chunks:
    """Every whole chunk, in order, up to 50,000."""
    position = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        size, kind = big(data, position, 4), data[position + 4 : position + 8]
        start = position + 8
        if len(kind) < 4 or start + size > len(data) or kind == b"IEND":
            return
        yield kind, start, start + size
        position = start + size + 4


def read_png(data: bytes) -> Container:
    """Text chunks, EXIF, XMP and whether a manifest is embedded."""
    found = Container(media_type="image/png")
    for kind, start, end in chunks(data):
        if kind == b"caBX":
            found.manifest = True
        elif kind not in (b"eXIf", b"tEXt", b"zTXt", b"iTXt"):
            continue
        elif end - start > MAX_BYTES:
            found.overflow()
        elif kind == b"eXIf":
            found.set_exif(data[start:end])
        else:
            _add_text(found, kind, data[start:end])
    return found


def _add_text(found: Container, kind: bytes, payload: bytes) -> None:
    raw_keyword, _, rest = payload.partition(b"\0")
    keyword = raw_keyword[:79].decode("latin-1")
    value = _uncompressed(kind, rest, found.room)
    if value is None:
        found.overflow()
    elif keyword == _XMP:
        found.add_xmp(value)
    elif keyword.lower().startswith(_RAW_PROFILE):
        _add_profile(found, keyword[len(_RAW_PROFILE) :].lower(), value)
    else:
        found.add_text(f"png:{_name(keyword)}", keyword, decode(value))


def _uncompressed(kind: bytes, rest: bytes, room: int) -> bytes | None:
    limit = min(MAX_BYTES, room)
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return inflate(rest[1:], limit)
    compressed = rest[:1] == b"\1"
    text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    return inflate(text, limit) if compressed else text


def _name(keyword: str) -> str:
    """The keyword where it is an ordinary word; a file may write anything there."""
    return keyword if len(keyword) <= 40 and keyword.replace("-", "").replace("_", "").isalnum() else "text"


def _add_profile(found: Container, name: str, value: bytes) -> None:
    """A metadata block written as hexadecimal text, as ImageMagick does: name, length, digits."""
    if len(value) > MAX_TOTAL:
        return
    parts = value.split(maxsplit=2)
    try:
        payload = bytes.fromhex(parts[2].decode("ascii")) if len(parts) == 3 else b""
    except ValueError:
        return
    if name in ("exif", "app1") and not payload.startswith(b"http"):
        found.set_exif(payload)
    elif name in ("xmp", "app1"):
        found.add_xmp(payload.partition(b"\0")[2] if payload.startswith(b"http") else payload)
    elif name in ("iptc", "8bim"):
        found.photoshop = found.photoshop or payload
