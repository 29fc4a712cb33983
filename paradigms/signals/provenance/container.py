"""The metadata that lies in a picture file, still in its own formats."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from paradigms.signals.provenance.text import MAX_BYTES

MAX_FIELDS = 64
MAX_PACKETS = 2
"""Text fields and XMP packets beyond these are left unread."""
MAX_TOTAL = 2 * MAX_BYTES
"""All text of a file together, in characters."""
TOO_MUCH = "Some metadata is too large or too long and was left unread."


@dataclass(frozen=True, slots=True)
class TextField:
    """One text of the file: where it stands, its keyword if it has one, and what it says."""

    where: str
    keyword: str
    text: str


@dataclass(slots=True)
class Container:
    """What a file carries beside its pixels.

    `exif` is a TIFF structure, `xmp` are XML packets, `iptc` are IIM records, `photoshop` are 8BIM resource blocks.
    `manifest` is true when a C2PA manifest is embedded.
    """

    media_type: str = ""
    exif: bytes = b""
    iptc: bytes = b""
    photoshop: bytes = b""
    xmp: list[bytes] = field(default_factory=list)
    texts: list[TextField] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    manifest: bool = False
    room: int = MAX_TOTAL

    def add_text(self, where: str, keyword: str, text: str) -> None:
        """Keep a text, or say that there was no room for it."""
        if len(self.texts) >= MAX_FIELDS or len(text) > self.room:
            self.overflow()
            return
        self.room -= len(text)
        self.texts.append(TextField(where, keyword, text))

    def add_xmp(self, packet: bytes) -> None:
        """Keep an XMP packet, or say that there was no room for it."""
        if len(self.xmp) >= MAX_PACKETS or len(packet) > min(self.room, MAX_BYTES):
            self.overflow()
            return
        self.room -= len(packet)
        self.xmp.append(packet)

    def set_exif(self, payload: bytes) -> None:
        """Keep the first EXIF block; later ones are ignored, as readers do."""
        self.exif = self.exif or payload.removeprefix(b"Exif\0\0")

    def overflow(self) -> None:
        """Note, once, that something was left unread."""
        if TOO_MUCH not in self.notes:
            self.notes.append(TOO_MUCH)


def inflate(data: bytes, limit: int, *, gzip: bool = False) -> bytes | None:
    """The decompressed data, or None when it is damaged or longer than `limit` bytes."""
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16 if gzip else zlib.MAX_WBITS)
    try:
        text = stream.decompress(data, limit + 1)
    except zlib.error:
        return None
    return text if len(text) <= limit else None


def big(data: bytes, start: int, size: int) -> int:
    """The big-endian unsigned integer of `size` bytes at `start`; bytes behind the end count as absent."""
    return int.from_bytes(data[start : start + size], "big")


def little(data: bytes, start: int, size: int) -> int:
    """As `big`, little-endian."""
    return int.from_bytes(data[start : start + size], "little")


Chunks = Iterator[tuple[bytes, int, int]]
"""Chunks of a file: type, and the offsets where the payload starts and ends."""
