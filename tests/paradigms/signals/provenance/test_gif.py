import struct

from paradigms.signals.provenance.gif import MAX_BLOCKS, read_gif


def blocks(payload):
    parts = [payload[i : i + 255] for i in range(0, len(payload), 255)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def gif_with(files, extension):
    """A GIF of Pillow with an extension before its picture."""
    data = files.picture("GIF", "P")
    start = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    return data[:start] + extension + data[start:]


def test_a_long_comment(files):
    text = "a comment " * 100
    found = read_gif(gif_with(files, b"\x21\xfe" + blocks(text.encode())))
    assert [(field.where, field.text) for field in found.texts] == [("gif:comment", text)]


def test_a_comment_behind_a_picture(files):
    data = files.picture("GIF", "P").removesuffix(b";") + b"\x21\xfe" + blocks(b"late") + b";"
    assert [field.text for field in read_gif(data).texts] == ["late"]


def test_a_picture_with_a_colour_table_of_its_own():
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0x80) + bytes(6) + b"\x02" + blocks(b"\x44\x01")
    data = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + picture + b"\x21\xfe" + blocks(b"late") + b";"
    assert [field.text for field in read_gif(data).texts] == ["late"]


def test_xmp_and_manifest(files):
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    packet = b"\x21\xff\x0bXMP DataXMP" + b"<x>" + b"y" * 400 + b"</x>" + trailer
    found = read_gif(gif_with(files, packet + b"\x21\xff\x0bC2PA_GIF\1\0\0" + blocks(b"jumb")))
    assert found.xmp == [b"<x>" + b"y" * 400 + b"</x>"]
    assert found.manifest


def test_blocks_without_end_are_cut_off(files):
    data = gif_with(files, b"\x21\xfe" + b"\x01x" * 200_000)
    assert [len(field.text) for field in read_gif(data).texts] == [MAX_BLOCKS]
