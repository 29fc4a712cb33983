"""TIFF directories: the form of EXIF, and of TIFF files."""

from __future__ import annotations

from dataclasses import dataclass

from paradigms.signals.provenance.text import MAX_BYTES, decode

SIGNATURES = (b"II*\0", b"MM\0*")
MAX_ENTRIES = 1_000

EXIF_DIRECTORY = 0x8769
GPS_DIRECTORY = 0x8825

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of one value, by the number of its type."""
_RATIONALS = (5, 10)

Directory = dict[int, tuple[int, int, int]]
"""Type, offset and size in bytes of each tag's value."""


@dataclass(frozen=True, slots=True)
class Tiff:
    """A TIFF structure whose values are read only when asked for."""

    data: bytes
    big_endian: bool
    main: Directory
    exif: Directory
    gps: Directory

    def raw(self, directory: Directory, tag: int) -> bytes:
        """The bytes of a tag, at most 4 MB; empty when it is absent."""
        _, offset, size = directory.get(tag, (0, 0, 0))
        return self.data[offset : offset + min(size, MAX_BYTES)]

    def text(self, directory: Directory, tag: int) -> str:
        """The text of a tag; empty when it is absent."""
        return decode(self.raw(directory, tag)).strip()

    def nonzero(self, directory: Directory, tag: int) -> bool:
        """Whether a tag has a number other than 0."""
        value = self.raw(directory, tag)
        if directory.get(tag, (0, 0, 0))[0] in _RATIONALS:
            return any(value[:4]) and any(value[4:8])
        return any(value)


def read_tiff(data: bytes) -> Tiff | None:
    """The first directory with its EXIF and GPS directories; None when this is no TIFF structure."""
    if data[:4] not in SIGNATURES:
        return None
    big_endian = data[:2] == b"MM"
    main = _directory(data, _number(data, 4, 4, big_endian), big_endian)
    below = []
    for tag in (EXIF_DIRECTORY, GPS_DIRECTORY):
        _, offset, size = main.get(tag, (0, 0, 0))
        below.append(_directory(data, _number(data, offset, 4, big_endian), big_endian) if size == 4 else {})
    return Tiff(data, big_endian, main, below[0], below[1])


def _number(data: bytes, start: int, size: int, big_endian: bool) -> int:
    return int.from_bytes(data[start : start + size], "big" if big_endian else "little")


def _directory(data: bytes, start: int, big_endian: bool) -> Directory:
    found: Directory = {}
    for index in range(min(_number(data, start, 2, big_endian), MAX_ENTRIES)):
        entry = start + 2 + 12 * index
        if entry + 12 > len(data):
            break
        tag, kind = (_number(data, entry + i, 2, big_endian) for i in (0, 2))
        size = _SIZES.get(kind, 0) * _number(data, entry + 4, 4, big_endian)
        offset = entry + 8 if size <= 4 else _number(data, entry + 8, 4, big_endian)
        if size > 0 and offset + size <= len(data):
            found.setdefault(tag, (kind, offset, size))
    return found
