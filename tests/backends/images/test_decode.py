from __future__ import annotations

import io
import struct
import sys
import threading
import types
import warnings

import numpy as np
import PIL.Image
import pytest
from PIL import ImageCms

from backends.errors import ImageError
from backends.images.decode import decode


def encode(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def load(data):
    return decode(data, max_pixels=10_000_000, max_edge=10_000)


def four_corners(mode="RGB", size=32):
    """Red, green / blue, white, in blocks that survive lossy coding."""
    image = PIL.Image.new("RGB", (size, size), "red")
    half = size // 2
    for box, colour in (((half, 0), "lime"), ((0, half), "blue"), ((half, half), "white")):
        image.paste(colour, (*box, box[0] + half, box[1] + half))
    return image.convert(mode)


def corners(pixels):
    """Names of the colours top left, top right, bottom left, bottom right, or `?` for another."""
    names = {(255, 0, 0): "red", (0, 255, 0): "lime", (0, 0, 255): "blue", (255, 255, 255): "white", (0, 0, 0): "black"}
    found = []
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
        colour = pixels.getpixel((int(x * pixels.width), int(y * pixels.height)))
        distances = {name: sum(abs(a - b) for a, b in zip(value, colour, strict=True)) for value, name in names.items()}
        nearest = min(distances, key=distances.get)
        found.append(nearest if distances[nearest] < 40 else f"?{colour}")
    return found


UPRIGHT = ["red", "lime", "blue", "white"]


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "RGB", {}),
        ("JPEG", "RGB", {"progressive": True}),
        ("JPEG", "CMYK", {}),
        ("PNG", "RGB", {}),
        ("PNG", "RGBA", {}),
        ("PNG", "P", {}),
        ("WEBP", "RGB", {}),
        ("WEBP", "RGBA", {"lossless": True}),
        ("GIF", "RGB", {}),
        ("BMP", "RGB", {}),
        ("BMP", "RGBA", {}),
        ("BMP", "P", {}),
        ("AVIF", "RGB", {}),
        ("AVIF", "RGBA", {}),
        ("TIFF", "RGB", {}),
        ("TIFF", "RGBA", {}),
        ("TIFF", "CMYK", {}),
        ("TIFF", "P", {}),
        ("TIFF", "LAB", {}),
        ("TIFF", "YCbCr", {}),
        ("TIFF", "RGB", {"compression": "tiff_lzw"}),
        ("TIFF", "RGB", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", "RGB", {"compression": "packbits"}),
        ("TIFF", "RGB", {"compression": "jpeg"}),
        ("TIFF", "RGB", {"big_tiff": True}),
    ],
)
def test_every_format_comes_out_as_rgb(kind, mode, options):
    decoded = load(encode(four_corners(mode), kind, **options))
    assert decoded.format == kind
    assert decoded.pixels.mode == "RGB"
    assert decoded.pixels.info == {}
    assert corners(decoded.pixels) == UPRIGHT
    assert decoded.frames == 1
    assert ("CMYK converted" in decoded.notes) == (mode == "CMYK")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF", "JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_and_bilevel_pictures(kind, mode):
    image = PIL.Image.new("L", (32, 32), 0)
    image.paste(255, (0, 0, 32, 16))
    pixels = load(encode(image.convert(mode), kind)).pixels
    assert corners(pixels) == ["white", "white", "black", "black"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(kind, orientation):
    back = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)  # the turn that undoes it
    turns = PIL.Image.Transpose
    method = {
        2: turns.FLIP_LEFT_RIGHT, 3: turns.ROTATE_180, 4: turns.FLIP_TOP_BOTTOM, 5: turns.TRANSPOSE,
        6: turns.ROTATE_270, 7: turns.TRANSVERSE, 8: turns.ROTATE_90,
    }.get(back)  # fmt: skip
    upright = four_corners().resize((32, 48))
    stored = upright.transpose(method) if method is not None else upright
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    decoded = load(encode(stored, kind, exif=exif))
    assert corners(decoded.pixels) == UPRIGHT
    assert decoded.pixels.size == (32, 48)
    expected = [] if orientation == 1 else [f"turned upright from EXIF orientation {orientation}"]
    assert [note for note in decoded.notes if "upright" in note] == expected


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(value):
    exif = PIL.Image.Exif()
    exif[0x0112] = value
    assert corners(load(encode(four_corners(), "JPEG", exif=exif)).pixels) == UPRIGHT


def test_damaged_exif_is_ignored():
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff" + bytes(range(200))
    assert corners(load(encode(four_corners(), "JPEG", exif=exif)).pixels) == UPRIGHT


def ramp_16(values=65536):
    return np.linspace(0, values - 1, 256).astype(np.uint16).reshape(1, 256).repeat(4, axis=0)


def assert_is_a_ramp(pixels, tolerance=1):
    row = np.asarray(pixels)[0].astype(int)
    assert np.abs(row - np.arange(256)[:, None]).max() <= tolerance


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_cut(kind):
    decoded = load(encode(PIL.Image.fromarray(ramp_16()), kind))
    assert_is_a_ramp(decoded.pixels, tolerance=0)
    assert decoded.notes == ("16-bit scaled to 8-bit",)


def test_16_bit_colour_png_is_scaled():
    row = np.stack([ramp_16()] * 3, axis=-1).astype(">u2").tobytes()
    decoded = load(png(256, 4, 2, b"".join(b"\x00" + row[i * 1536 : (i + 1) * 1536] for i in range(4))))
    assert_is_a_ramp(decoded.pixels)
    assert decoded.notes == ("16-bit scaled to 8-bit",)


def test_16_bit_colour_png_with_a_transparent_colour():
    pixels = struct.pack(">6H", 0, 0, 0, 65535, 65535, 0)
    data = png(2, 1, 2, b"\x00" + pixels, before=[(b"tRNS", struct.pack(">3H", 65535, 65535, 0))])
    decoded = load(data)
    assert [decoded.pixels.getpixel((x, 0)) for x in (0, 1)] == [(0, 0, 0), (255, 255, 255)]
    assert decoded.notes == ("16-bit scaled to 8-bit", "alpha flattened on white")


def png(width, height, colour, rows, before=()):
    import zlib

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *before, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, data) for name, data in chunks)


def grey_tiff(values, bits, white_is_zero=False):
    """A raw grey TIFF of one row, little-endian."""
    row = values.tobytes()
    tags = [(256, values.size), (257, 1), (258, bits), (259, 1), (262, int(not white_is_zero)), (273, 200), (278, 1)]
    packed = b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in tags)
    return (struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + packed + bytes(4)).ljust(200, b"\x00") + row


def test_16_bit_tiff_in_which_white_is_zero():
    decoded = load(grey_tiff(65535 - ramp_16()[0], 16, white_is_zero=True))
    assert_is_a_ramp(decoded.pixels, tolerance=0)


def test_12_bit_tiff_uses_the_whole_range():
    a, b = ramp_16(4096)[0][0::2].astype(np.uint32), ramp_16(4096)[0][1::2].astype(np.uint32)
    packed = np.stack([a >> 4, ((a & 15) << 4) | (b >> 8), b & 255], axis=-1).astype(np.uint8)
    data = bytearray(grey_tiff(packed.reshape(-1), 12))
    struct.pack_into("<I", data, 18, 256)  # the width, in samples
    assert_is_a_ramp(load(bytes(data)).pixels)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 128.0, 255.0], [0, 128, 255]),
        ([-10.0, 0.0, 10.0], [0, 128, 255]),
        ([0.0, float("nan"), float("inf")], [0, 0, 255]),
        ([3e38, 0.0, -3e38], [255, 128, 0]),
        ([float("nan")] * 3, [0, 0, 0]),
        ([7.0, 7.0, 7.0], [7, 7, 7]),
        ([700.0, 700.0, 700.0], [0, 0, 0]),
    ],
)
def test_floating_point_values_are_brought_to_8_bits(values, expected):
    decoded = load(encode(PIL.Image.fromarray(np.array([values], dtype=np.float32)), "TIFF"))
    assert np.asarray(decoded.pixels)[0, :, 0].tolist() == pytest.approx(expected, abs=1)
    assert len(decoded.notes) == 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 100, 255], [0, 100, 255]), ([0, 25700, 65535], [0, 100, 255]), ([-100, 0, 100], [0, 128, 255])],
)
def test_wide_whole_values_are_brought_to_8_bits(values, expected):
    decoded = load(encode(PIL.Image.fromarray(np.array([values], dtype=np.int32)), "TIFF"))
    assert np.asarray(decoded.pixels)[0, :, 0].tolist() == expected


@pytest.mark.parametrize(
    ("image", "kind", "options"),
    [
        (PIL.Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "PNG", {}),
        (PIL.Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "WEBP", {"lossless": True}),
        (PIL.Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "TIFF", {}),
        (PIL.Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "AVIF", {}),
        (PIL.Image.new("LA", (8, 8), (0, 0)), "PNG", {}),
        (PIL.Image.new("LA", (8, 8), (0, 0)), "TIFF", {}),
        (PIL.Image.new("L", (8, 8), 0), "PNG", {"transparency": 0}),
        (PIL.Image.new("1", (8, 8), 0), "PNG", {"transparency": 0}),
        (PIL.Image.new("RGB", (8, 8), "red"), "PNG", {"transparency": (255, 0, 0)}),
        (PIL.Image.new("P", (8, 8), 0), "PNG", {"transparency": 0}),
        (PIL.Image.new("P", (8, 8), 0), "PNG", {"transparency": b"\x00\x80\x01"}),
        (PIL.Image.new("P", (8, 8), 0), "GIF", {"transparency": 0}),
    ],
)
def test_transparency_is_laid_on_white(image, kind, options):
    decoded = load(encode(image, kind, **options))
    assert corners(decoded.pixels) == ["white"] * 4
    assert decoded.notes == ("alpha flattened on white",)


def test_half_transparency_mixes_with_white():
    decoded = load(encode(PIL.Image.new("RGBA", (8, 8), (0, 0, 0, 128)), "PNG"))
    assert decoded.pixels.getpixel((0, 0)) == (127, 127, 127)


def test_an_alpha_channel_that_hides_nothing_is_not_worth_a_note():
    assert load(encode(four_corners("RGBA"), "PNG")).notes == ()


@pytest.mark.parametrize(
    ("kind", "frames"), [("GIF", 3), ("PNG", 3), ("WEBP", 3), ("TIFF", 3), ("AVIF", 3), ("MPO", 3)]
)
def test_of_several_frames_the_first_is_taken(kind, frames):
    others = [PIL.Image.new("RGB", (32, 32), colour) for colour in ("black", "gray")]
    decoded = load(encode(four_corners(), kind, save_all=True, append_images=others))
    assert corners(decoded.pixels) == UPRIGHT
    assert decoded.frames == frames
    assert decoded.notes == (f"first of {frames} frames",)
    assert decoded.format == kind


def profile_bytes(name="sRGB"):
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


def test_a_colour_profile_is_kept_for_delivery():
    decoded = load(encode(four_corners(), "JPEG", icc_profile=profile_bytes()))
    assert decoded.profile == profile_bytes()
    assert decoded.notes == ("colour profile converted to sRGB for models",)
    assert "profile=" not in repr(decoded)


@pytest.mark.parametrize("profile", [b"no profile at all", profile_bytes()[:200], profile_bytes("LAB")])
def test_a_colour_profile_that_does_not_work_is_left_out(profile):
    decoded = load(encode(four_corners(), "PNG", icc_profile=profile))
    assert decoded.profile is None
    assert decoded.notes == ("colour profile cannot be used and was left out",)
    assert corners(decoded.pixels) == UPRIGHT


def test_an_rgb_profile_in_a_cmyk_file_is_left_out():
    decoded = load(encode(four_corners("CMYK"), "JPEG", icc_profile=profile_bytes()))
    assert decoded.notes == ("colour profile cannot be used and was left out", "CMYK converted")
    assert corners(decoded.pixels) == UPRIGHT


def test_ink_is_read_as_photoshop_writes_it():
    """Pillow writes CMYK JPEG inverted with Adobe's marker, as Photoshop does."""
    decoded = load(encode(PIL.Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=100))
    assert corners(decoded.pixels) == ["red"] * 4


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_tiny_pictures(kind, size):
    assert load(encode(PIL.Image.new("RGB", size, "white"), kind)).pixels.size == size


def test_limits_are_inclusive():
    data = encode(PIL.Image.new("L", (20, 10)), "PNG")
    assert decode(data, max_pixels=200, max_edge=20).pixels.size == (20, 10)
    with pytest.raises(ImageError, match="million allowed"):
        decode(data, max_pixels=199, max_edge=20)
    with pytest.raises(ImageError, match="more than the 19 along one edge"):
        decode(data, max_pixels=200, max_edge=19)


def test_pictures_above_the_size_at_which_pillow_warns(monkeypatch):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 100)
    for kind in ("PNG", "TIFF", "GIF", "WEBP"):
        assert load(encode(PIL.Image.new("RGB", (15, 10)), kind)).pixels.size == (15, 10)


def test_warnings_of_pillow_stay_inside_in_all_threads(monkeypatch):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 600)
    data = encode(four_corners(), "PNG")
    with pytest.warns(PIL.Image.DecompressionBombWarning):
        PIL.Image.open(io.BytesIO(data)).close()
    before = list(warnings.filters)
    failures = []

    def work():
        try:
            for _ in range(20):
                load(data)
        except (Warning, ImageError) as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert list(warnings.filters) == before


def test_heic_is_read_where_the_plug_in_is_installed(monkeypatch):
    """The plug-in registers an opener for its own format; here it is one that reads a PNG behind a HEIC header."""
    header = struct.pack(">I4s4sI4s", 20, b"ftyp", b"heic", 0, b"heic")

    def open_heif(stream, name):
        image = PIL.Image.open(io.BytesIO(stream.read()[len(header) :]))
        image.format = "HEIF"
        return image

    def register():
        PIL.Image.register_open("HEIF", open_heif, lambda prefix: prefix[4:8] == b"ftyp")

    plug_in = types.ModuleType("pillow_heif")
    plug_in.register_heif_opener = register
    monkeypatch.setitem(sys.modules, "pillow_heif", plug_in)
    monkeypatch.setattr(PIL.Image, "OPEN", dict(PIL.Image.OPEN))
    monkeypatch.setattr(PIL.Image, "ID", list(PIL.Image.ID))
    decoded = load(header + encode(four_corners(), "PNG"))
    assert decoded.format == "HEIF"
    assert corners(decoded.pixels) == UPRIGHT
