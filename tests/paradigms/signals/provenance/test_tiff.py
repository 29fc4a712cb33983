import struct

import pytest

from paradigms.signals.provenance.tiff import MAX_ENTRIES, read_tiff


@pytest.mark.parametrize("order", ["<", ">"])
def test_values_in_both_byte_orders(order):
    entries = [
        (0x0110, 2, 4, b"X-1\0"),
        (0x829D, 5, 1, struct.pack(order + "I", 60)),
        (0x8769, 4, 1, struct.pack(order + "I", 8)),
    ]
    data = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    for tag, kind, count, value in entries:
        data += struct.pack(order + "HHI", tag, kind, count) + value
    data = data.ljust(60, b"\0") + struct.pack(order + "II", 28, 10)
    tiff = read_tiff(data)
    assert tiff.text(tiff.main, 0x0110) == "X-1"
    assert tiff.nonzero(tiff.exif, 0x829D)
    assert tiff.big_endian is (order == ">")


def test_what_pillow_writes_is_read(files):
    tiff = read_tiff(files.exif({0x010F: "Acme"}, {0x829A: 0.01, 0x8827: 0}, {2: (1.0, 2.0, 3.0)}))
    assert tiff.text(tiff.main, 0x010F) == "Acme"
    assert tiff.nonzero(tiff.exif, 0x829A)
    assert not tiff.nonzero(tiff.exif, 0x8827)
    assert 2 in tiff.gps
    assert tiff.raw(tiff.main, 0x9999) == b""


@pytest.mark.parametrize(
    "data", [b"", b"II*\0", b"no tiff at all", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_what_is_none_has_nothing(data):
    tiff = read_tiff(data)
    assert tiff is None or tiff.main == {}


def test_values_outside_the_file_are_absent_and_entries_are_limited():
    outside = struct.pack("<HHII", 0x010F, 2, 1000, 8)
    assert read_tiff(b"II*\0\x08\0\0\0\1\0" + outside).main == {}
    many = b"".join(struct.pack("<HHII", tag, 3, 1, 1) for tag in range(5000))
    assert len(read_tiff(b"II*\0\x08\0\0\0" + struct.pack("<H", 5000) + many).main) == MAX_ENTRIES


def test_a_directory_that_points_to_itself_ends():
    entries = struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<HHII", 0x8825, 4, 1, 8)
    tiff = read_tiff(b"II*\0\x08\0\0\0\2\0" + entries)
    assert tiff.exif == tiff.main
