from __future__ import annotations

import struct

import PIL.Image
import pytest
from PIL import ImageCms

from backends.images.rgb import to_rgb, to_srgb


def ink_profile():
    """A CMYK profile in which paper is white and any ink at all is black."""
    paper, black = bytes([255, 128, 128]), bytes([0, 128, 128])  # L, a, b in 8 bits
    ramp, identity = bytes(range(256)), struct.pack(">9i", *(65536 * (at % 4 == 0) for at in range(9)))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + ramp * 4 + paper + black * 15 + ramp * 3
    tags = struct.pack(">I4sII", 1, b"A2B0", 144, len(table))
    head = struct.pack(">I4sI4s4s4s", 144 + len(table), bytes(4), 0x02400000, b"prtr", b"CMYK", b"Lab ") + bytes(12)
    head = (head + b"acsp").ljust(68, b"\x00") + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    return head.ljust(128, b"\x00") + tags + table


def test_ink_goes_through_its_own_profile():
    image = PIL.Image.new("CMYK", (2, 1), (0, 0, 0, 0))
    image.putpixel((0, 0), (255, 0, 0, 0))
    image.info["icc_profile"] = ink_profile()
    notes = []
    pixels, left = to_rgb(image, False, notes)
    assert notes == ["colour profile converted to sRGB for models", "CMYK converted"]
    assert left is None
    assert max(pixels.getpixel((0, 0))) < 10
    assert min(pixels.getpixel((1, 0))) > 245


def test_ink_without_a_profile_is_converted_plainly():
    image = PIL.Image.new("CMYK", (1, 1), (255, 0, 0, 0))
    assert to_rgb(image, False, [])[0].getpixel((0, 0)) == (0, 255, 255)


def test_a_profile_of_absurd_size_is_left_out():
    image = PIL.Image.new("RGB", (1, 1), "red")
    image.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + bytes(5_000_000)
    notes = []
    assert to_rgb(image, False, notes)[1] is None
    assert notes == ["colour profile cannot be used and was left out"]


def test_a_profile_of_another_kind_of_pixels_is_an_error():
    with pytest.raises(ImageCms.PyCMSError):
        to_srgb(PIL.Image.new("RGB", (1, 1)), ink_profile())


@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "RGB", "RGBX", "YCbCr", "HSV", "LAB", "CMYK", "LA", "La", "PA", "RGBa"]
)
def test_every_mode_becomes_rgb_and_a_new_image(mode):
    image = PIL.Image.new(mode, (3, 2))
    pixels, _ = to_rgb(image, False, [])
    assert (pixels.mode, pixels.size) == ("RGB", (3, 2))
    assert pixels is not image
