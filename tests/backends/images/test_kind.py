from __future__ import annotations

import struct

import pytest

from backends.errors import ImageError
from backends.images.kind import identify


def boxed(brand, *compatible):
    return struct.pack(">I4s4sI", 16 + 4 * len(compatible), b"ftyp", brand, 0) + b"".join(compatible) + bytes(40)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "WEBP"),
        (b"GIF89a", "GIF"),
        (b"GIF87a", "GIF"),
        (b"II*\x00", "TIFF"),
        (b"MM\x00*", "TIFF"),
        (b"MM\x00+", "TIFF"),
        (b"BM....", "BMP"),
        (boxed(b"avif"), "AVIF"),
        (boxed(b"avis", b"avif"), "AVIF"),
        (boxed(b"mif1", b"heic"), "HEIF"),
        (boxed(b"mif1", b"miaf", b"avif"), "AVIF"),
        (boxed(b"heix"), "HEIF"),
    ],
)
def test_readable_formats_are_known_by_how_they_begin(data, kind):
    assert identify(data) == kind


@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_text_is_text_wherever_its_head_is_cut(cut):
    text = "x" * (4096 - cut) + "🙂🙂"
    with pytest.raises(ImageError, match="this is a text file"):
        identify(text.encode())


def test_what_is_not_known_is_called_so():
    with pytest.raises(ImageError, match="no picture that can be read here"):
        identify(b"\x01\x02\x03\x80\x81" * 99)
