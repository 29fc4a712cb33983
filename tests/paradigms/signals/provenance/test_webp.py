import struct

from paradigms.signals.provenance.webp import chunks, read_webp


def webp(*parts):
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2) for kind, payload in parts
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_exif_xmp_and_manifest_at_odd_sizes():
    found = read_webp(webp((b"VP8 ", b"abc"), (b"EXIF", b"Exif\0\0II*\0x"), (b"XMP ", b"<x/>"), (b"C2PA", b"j")))
    assert (found.exif, found.xmp, found.manifest) == (b"II*\0x", [b"<x/>"], True)


def test_a_file_of_pillow(files):
    found = read_webp(files.picture("WEBP", exif=b"Exif\0\0" + files.camera_exif(), xmp=b"<x/>"))
    assert found.exif[:4] in (b"II*\0", b"MM\0*")
    assert found.xmp == [b"<x/>"]


def test_a_chunk_that_runs_over_the_end_is_not_read():
    data = webp((b"EXIF", b"II*\0" + bytes(100)))
    assert read_webp(data[:60]).exif == b""
    assert list(chunks(data[:60])) == []
