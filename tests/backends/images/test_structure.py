from __future__ import annotations

import io
import struct

import PIL.Image
import pytest

from backends.errors import ImageError
from backends.images.structure import MOST_FRAMES, gif_frames, jpeg_scans, tiff_pages


def encode(kind, frames=1, **options):
    images = [PIL.Image.new("RGB", (20, 20), (10 * n, 0, 0)) for n in range(frames)]
    stream = io.BytesIO()
    images[0].save(stream, kind, save_all=frames > 1, append_images=images[1:], **options)
    return stream.getvalue()


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_gif_frames_are_counted(frames):
    assert gif_frames(encode("GIF", frames)) == frames


def test_gif_frames_before_a_cut_count():
    whole = encode("GIF", 5)
    counts = [gif_frames(whole[:end]) for end in range(13, len(whole) + 1)]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (1, 5)


def test_gif_counting_ends():
    head, frame = b"GIF89a" + bytes(7), b"," + bytes(9) + b"\x02\x00"
    assert gif_frames(head + frame * (MOST_FRAMES + 5)) == MOST_FRAMES
    assert gif_frames(head + b"!\xfe" + b"\x01x" * 3_000_000 + b"\x00" + frame) == 1


@pytest.mark.parametrize("options", [{}, {"big_tiff": True}])
@pytest.mark.parametrize("frames", [1, 2, 7])
def test_tiff_pages_are_counted(frames, options):
    assert tiff_pages(encode("TIFF", frames, **options)) == frames


@pytest.mark.parametrize(("order", "mark"), [("<", b"II"), (">", b"MM")])
def test_tiff_pages_in_both_byte_orders_and_in_circles(order, mark):
    def page(following):
        return struct.pack(order + "HHHII", 1, 256, 3, 1, 1) + struct.pack(order + "I", following)

    head = mark + struct.pack(order + "HI", 42, 8)
    assert tiff_pages(head + page(26) + page(0)) == 2
    assert tiff_pages(head + page(26) + page(8)) == 2
    assert tiff_pages(head + page(2**31)) == 1


def test_damaged_tiff_counts_as_one_page():
    assert tiff_pages(b"II*\x00") == 1
    assert tiff_pages(b"II+\x00" + b"\xff" * 20) == 1


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ((273, 1, 400_001, 0), "absurdly long"),
        ((324, 7, 400_001, 0), "absurdly long"),
        ((258, 3, 1_000_001, 0), "absurdly long"),
        ((254, 4, 1, 1), "camera raw"),
        ((50706, 1, 4, 1), "camera raw"),
    ],
)
def test_tiff_directories_that_are_refused(entry, expected):
    head = struct.pack("<2sHIH", b"II", 42, 8, 1)
    with pytest.raises(ImageError, match=expected):
        tiff_pages(head + struct.pack("<HHII", *entry) + bytes(4))


def test_long_bytes_in_a_tiff_directory_are_ordinary():
    """A colour profile or a text of some megabytes is one Python object."""
    head = struct.pack("<2sHIH", b"II", 42, 8, 1)
    assert tiff_pages(head + struct.pack("<HHII", 34675, 7, 5_000_000, 0) + bytes(4)) == 1


def test_jpeg_scans_are_counted():
    assert jpeg_scans(encode("JPEG"), enough=0) == 1
    progressive = encode("JPEG", progressive=True)
    assert jpeg_scans(progressive, enough=0) == progressive.count(b"\xff\xda") > 5


def test_scans_of_thumbnails_and_what_follows_the_picture_do_not_count():
    whole = encode("JPEG")
    thumbnail = b"\xff\xe1" + struct.pack(">H", len(whole) + 2) + whole
    assert jpeg_scans(whole[:2] + thumbnail + whole[2:] + whole * 3, enough=0) == 1


def test_counting_scans_stops_at_what_is_enough():
    assert jpeg_scans(encode("JPEG") + b"\xff\xda", enough=2) == 2
