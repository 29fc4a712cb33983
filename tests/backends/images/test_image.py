from __future__ import annotations

import dataclasses
import gc
import hashlib
import io
import threading
import weakref

import numpy as np
import PIL.Image
import pytest
from PIL import ImageCms

import backends.images.image
from backends.images.image import MAX_DELIVERED_EDGE, Image, ImageLimits


def encode(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def read(picture, kind="PNG", **options):
    return Image.read(encode(picture, kind, **options), name="a picture")


def textured(width=300, height=200):
    """A soft gradient with a sharp grid, so that every part differs and every resampling shows."""
    y, x = np.mgrid[0:height, 0:width]
    values = np.stack([x * 255 // width, y * 255 // height, 128 + 60 * ((x // 8 + y // 8) % 2)], axis=-1)
    return PIL.Image.fromarray(values.astype(np.uint8))


def opened(picture):
    with PIL.Image.open(io.BytesIO(picture.data)) as image:
        image.load()
        return image


def difference(a, b):
    return float(np.abs(np.asarray(a.convert("RGB")).astype(int) - np.asarray(b.convert("RGB")).astype(int)).mean())


@pytest.fixture
def decodings(monkeypatch):
    """One entry for each decoding."""
    calls = []
    whole = backends.images.image.decode

    def counted(data, max_pixels, max_edge):
        calls.append(len(data))
        return whole(data, max_pixels, max_edge)

    monkeypatch.setattr(backends.images.image, "decode", counted)
    return calls


def test_an_image_says_what_it_is():
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    data = encode(textured(), "JPEG", exif=exif)
    image = Image.read(data, name="a.jpg", path="x/a.jpg", notes=("given",))
    assert (image.data, image.sha256) == (data, hashlib.sha256(data).hexdigest())
    assert (image.format, image.width, image.height, image.frames) == ("JPEG", 200, 300, 1)
    assert (image.name, image.path) == ("a.jpg", "x/a.jpg")
    assert image.notes == ("given", "turned upright from EXIF orientation 6")
    assert image.noted("first").notes == ("first", *image.notes)
    assert image.pixels().size == (200, 300)


def test_an_image_does_not_change_and_does_not_print_its_bytes():
    image = read(textured())
    with pytest.raises(dataclasses.FrozenInstanceError):
        image.width = 1
    assert "\\x" not in repr(image)
    assert len(repr(image)) < 400


def test_delivered_is_a_plain_jpeg_of_the_size_that_it_says():
    exif = PIL.Image.Exif()
    exif[0x010F] = "A camera"
    image = read(textured(), "JPEG", exif=exif, comment=b"hello", icc_profile=profile(), xmp=b"<x/>", dpi=(72, 72))
    picture = image.deliver(120)
    assert (picture.media_type, picture.width, picture.height) == ("image/jpeg", 120, 80)
    assert picture.sha256 == hashlib.sha256(picture.data).hexdigest()
    found = opened(picture)
    assert (found.format, found.mode, found.size) == ("JPEG", "RGB", (120, 80))
    assert {name for name, _ in found.applist} == {"APP0"}
    assert set(found.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_delivered_looks_like_the_original():
    original = textured(1000, 600)
    wanted = original.resize((200, 120), PIL.Image.Resampling.LANCZOS)
    assert difference(opened(read(original).deliver(200, quality=95)), wanted) < 3


def test_delivered_is_never_enlarged():
    picture = read(textured()).deliver(4000)
    assert (picture.width, picture.height) == (300, 200)


@pytest.mark.parametrize(
    ("size", "max_edge", "expected"),
    [
        ((1, 1), 1024, (1, 1)),
        ((1, 1), 1, (1, 1)),
        ((3, 2), 1, (1, 1)),
        ((5000, 1), 100, (100, 1)),
        ((1, 5000), 100, (1, 100)),
        ((1001, 1000), 1000, (1000, 999)),
    ],
)
def test_tiny_and_thin_pictures(size, max_edge, expected):
    image = read(PIL.Image.new("RGB", size, "white"))
    picture = image.deliver(max_edge)
    assert (picture.width, picture.height) == expected
    detail = image.crop((0.999, 0.999, 1.0, 1.0), max_edge)
    assert detail.width >= 1
    assert detail.height >= 1


def test_the_same_arguments_give_the_same_bytes():
    image, other = read(textured(900, 700)), read(textured(900, 700))
    picture, detail = image.deliver(256), image.crop((0.1, 0.2, 0.5, 0.9), 256)
    image.release()
    assert image.deliver(256) == picture == other.deliver(256)
    assert image.crop((0.1, 0.2, 0.5, 0.9), 256) == detail == other.crop((0.1, 0.2, 0.5, 0.9), 256)
    assert image.deliver(255) != picture != image.deliver(256, quality=80)


def test_a_crop_is_the_part_at_its_native_resolution():
    original = textured(400, 400)
    picture = read(original).crop((0.25, 0.5, 0.75, 0.625), 1024, quality=100)
    assert (picture.width, picture.height) == (200, 50)
    assert difference(opened(picture), original.crop((100, 200, 300, 250))) < 1


def test_a_crop_is_reduced_only_above_the_limit():
    image = read(textured(400, 400))
    assert (image.crop((0, 0, 0.5, 0.25), 200).width, image.crop((0, 0, 0.5, 0.25), 200).height) == (200, 100)
    assert (image.crop((0, 0, 0.5, 0.25), 100).width, image.crop((0, 0, 0.5, 0.25), 100).height) == (100, 50)


def test_a_crop_of_a_turned_picture_is_taken_from_the_upright_one():
    exif = PIL.Image.Exif()
    exif[0x0112] = 3
    stored = PIL.Image.new("RGB", (40, 40), "black")
    stored.paste("red", (0, 0, 20, 20))
    picture = read(stored, exif=exif).crop((0.5, 0.5, 1.0, 1.0), 100)
    assert opened(picture).getpixel((10, 10))[0] > 240


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ((-1.0, -1.0, 2.0, 2.0), (100, 50)),
        ((0.5, 0.5, 0.5000001, 0.5000001), (1, 1)),
        ((0.999999, 0.999999, 1.0, 1.0), (1, 1)),
        ((0.0, 0.0, 1e-9, 1.0), (1, 50)),
        ((0.29, 0.0, 0.57, 1.0), (28, 50)),
    ],
)
def test_boxes_at_the_edge(box, size):
    picture = read(textured(100, 50)).crop(box, 1024)
    assert (picture.width, picture.height) == size


@pytest.mark.parametrize(
    "box",
    [
        (0.5, 0.1, 0.5, 0.9),
        (0.1, 0.9, 0.9, 0.1),
        (1.0, 0.0, 2.0, 1.0),
        (-2.0, 0.0, -1.0, 1.0),
        (float("nan"), 0.0, 1.0, 1.0),
        (0.0, 0.0, float("inf"), 1.0),
    ],
)
def test_boxes_that_are_none(box):
    with pytest.raises(ValueError, match="a box needs"):
        read(textured()).crop(box, 100)


@pytest.mark.parametrize(("max_edge", "quality"), [(0, 90), (-5, 90), (MAX_DELIVERED_EDGE + 1, 90), (9, 0), (9, 101)])
def test_arguments_out_of_range(max_edge, quality):
    with pytest.raises(ValueError, match="must be"):
        read(textured()).deliver(max_edge, quality)


def profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile():
    """A profile in which red and blue have changed places, so that its use can be seen."""
    return profile().replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
def test_colours_are_delivered_in_srgb(mode):
    image = read(PIL.Image.new("RGB", (20, 20), "red").convert(mode), icc_profile=swapped_profile())
    for picture in (image.deliver(10), image.crop((0.0, 0.0, 0.5, 0.5), 10)):
        red, green, blue = opened(picture).getpixel((2, 2))
        assert blue > 240
        assert max(red, green) < 15
    assert image.pixels().getpixel((0, 0)) == (255, 0, 0)


def test_everything_made_from_one_image_costs_one_decoding(decodings):
    image = read(textured())
    image.deliver(100)
    image.crop((0.0, 0.0, 0.5, 0.5), 100)
    assert image.pixels() is image.pixels()
    assert len(decodings) == 1


def test_a_with_block_keeps_the_pixels_until_its_end(decodings):
    with read(textured()) as image:
        image.deliver(100)
        pixels = weakref.ref(image.pixels())
        assert len(decodings) == 1
    gc.collect()
    assert pixels() is None
    image.deliver(100)
    again = weakref.ref(image.pixels())
    gc.collect()
    assert again() is None
    assert len(decodings) == 3
    with image:
        image.deliver(100)
        image.pixels()
    assert len(decodings) == 4


def test_limits_hold_for_every_decoding():
    image = Image.read(encode(textured()), name="a", limits=ImageLimits(max_pixels=60_000, max_edge=300))
    image.release()
    assert image.pixels().size == (300, 200)


def test_many_threads_may_use_one_image_and_many():
    one = read(textured(600, 400))
    expected = one.deliver(128), one.crop((0.2, 0.2, 0.6, 0.6), 128)
    failures = []

    def work(number):
        for turn in range(15):
            image = one if turn % 2 else read(textured(600, 400))
            with image:
                found = image.deliver(128), image.crop((0.2, 0.2, 0.6, 0.6), 128)
            if found != expected:
                failures.append((number, turn))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
