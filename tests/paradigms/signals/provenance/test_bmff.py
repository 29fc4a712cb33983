import struct

import pytest

from paradigms.signals.provenance.bmff import is_bmff, read_bmff


def box(kind, *payload):
    body = b"".join(payload)
    return struct.pack(">I", 8 + len(body)) + kind + body


def heic(version=0, in_idat=False):
    """A HEIC file with an EXIF item and an XMP item."""
    exif, xmp = struct.pack(">I", 6) + b"Exif\0\0II*\0x", b"<x/>"
    ftyp = box(b"ftyp", b"heic", bytes(4))
    infe = [
        box(b"infe", b"\2\0\0\0", struct.pack(">HH", 1, 0), b"Exif\0"),
        box(b"infe", b"\2\0\0\0", struct.pack(">HH", 2, 0), b"mime\0application/rdf+xml\0"),
    ]
    iinf = box(b"iinf", bytes(4), struct.pack(">H", 2), *infe)

    def meta(start):
        items = [(1, start, len(exif)), (2, start + len(exif), len(xmp))]
        listed = b""
        for number, offset, size in items:
            method = struct.pack(">H", int(in_idat)) if version else b""
            listed += struct.pack(">H", number) + method + struct.pack(">HHII", 0, 1, offset, size)
        iloc = box(b"iloc", bytes([version, 0, 0, 0]), b"\x44\0", struct.pack(">H", 2), listed)
        return box(b"meta", bytes(4), iinf, iloc, *([box(b"idat", exif, xmp)] if in_idat else []))

    start = 0 if in_idat else len(ftyp) + len(meta(0)) + 8
    return ftyp + meta(start) + (b"" if in_idat else box(b"mdat", exif, xmp))


@pytest.mark.parametrize(("version", "in_idat"), [(0, False), (1, False), (1, True)])
def test_exif_and_xmp_items(version, in_idat):
    data = heic(version, in_idat)
    found = read_bmff(data)
    assert is_bmff(data)
    assert found.media_type == "image/heic"
    assert (found.exif, found.xmp) == (b"II*\0x", [b"<x/>"])


def test_an_avif_of_pillow(files):
    data = files.picture("AVIF", exif=b"Exif\0\0" + files.camera_exif(), xmp=b"<x/>")
    found = read_bmff(data)
    assert found.media_type == "image/avif"
    assert found.exif == files.camera_exif()
    assert found.xmp == [b"<x/>"]


def test_a_manifest_box():
    uuid = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
    assert read_bmff(heic() + box(b"uuid", uuid, b"jumb")).manifest
    assert not read_bmff(heic() + box(b"uuid", bytes(16))).manifest


def test_an_item_behind_the_end_is_not_read():
    assert read_bmff(heic()[:-6]).xmp == []
