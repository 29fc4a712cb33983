import gzip
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from paradigms.signals.provenance import stealth
from paradigms.signals.provenance.stealth import read_stealth

TEXT = "a duck\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1"


def pixels(mark, text=TEXT, size=(160, 32), mode="RGBA", seed=1, length=None):
    """A noisy picture of `size` (rows, columns) that hides a text."""
    payload = gzip.compress(text.encode()) if mark.endswith("comp") else text.encode()
    count = 8 * len(payload) if length is None else length
    bits = np.unpackbits(np.frombuffer(mark.encode() + struct.pack(">I", count) + payload, np.uint8))
    picture = np.random.default_rng(seed).integers(0, 256, (*size, len(mode)), np.uint8)
    used = picture[:, :, 3:] if "png" in mark else picture[:, :, :3]
    stream = used.transpose(1, 0, 2).reshape(-1).copy()
    stream[: len(bits)] = stream[: len(bits)] & 0xFE | bits
    used[:] = stream.reshape(used.shape[1], used.shape[0], -1).transpose(1, 0, 2)
    return picture


def encode(picture, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("mark", ["stealth_pnginfo", "stealth_pngcomp", "stealth_rgbinfo", "stealth_rgbcomp"])
@pytest.mark.parametrize("size", [(160, 32), (100, 50), (1, 6000), (2000, 3)])
def test_all_four_marks_in_every_shape(mark, size):
    found = read_stealth(encode(pixels(mark, size=size)), "image/png")
    assert found.text == TEXT
    assert found.where == ("stealth-alpha" if "png" in mark else "stealth-rgb")


def test_a_picture_without_alpha():
    assert read_stealth(encode(pixels("stealth_rgbcomp", mode="RGB")), "image/png").text == TEXT


def test_a_lossless_webp():
    data = encode(pixels("stealth_pngcomp"), "WEBP", lossless=True, exact=True)
    assert read_stealth(data, "image/webp").text == TEXT


def with_filters(picture, kinds):
    """The picture as a PNG whose rows use the given filters in turn."""
    rows, columns, channels = picture.shape
    wide = np.zeros((rows + 1, columns + 1, channels), int)
    wide[1:, 1:] = picture
    left, above, corner = wide[1:, :-1], wide[:-1, 1:], wide[:-1, :-1]
    guess = left + above - corner
    near = np.stack([abs(guess - left), abs(guess - above), abs(guess - corner)])
    paeth = np.where(near.argmin(0) == 0, left, np.where(near.argmin(0) == 1, above, corner))
    predicted = [np.zeros_like(left), left, above, (left + above) // 2, paeth]
    raw = b"".join(
        bytes([kinds[y % len(kinds)]])
        + ((picture[y].astype(int) - predicted[kinds[y % len(kinds)]][y]) & 255).astype(np.uint8).tobytes()
        for y in range(rows)
    )
    colour = 6 if channels == 4 else 2

    def chunk(kind, payload):
        return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))

    header = struct.pack(">IIBBBBB", columns, rows, 8, colour, 0, 0, 0)
    packed = zlib.compress(raw)
    parts = [chunk(b"IDAT", packed[i : i + 1000]) for i in range(0, len(packed), 1000)]
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(parts) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kinds", [[0], [1], [2], [3], [4], [4, 2, 0, 3, 1]])
def test_every_filter_is_undone(kinds):
    picture = pixels("stealth_pnginfo")
    data = with_filters(picture, kinds)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), picture)
    assert read_stealth(data, "image/png").text == TEXT


def test_an_unmarked_picture_is_not_decoded(monkeypatch):
    monkeypatch.setattr(stealth, "_decode", lambda _: pytest.fail("decoded"))
    assert read_stealth(encode(np.zeros((160, 32, 4), np.uint8)), "image/png") is None


def test_texts_in_the_file_do_not_disturb_the_decoder():
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * (2 << 20), zip=True)
    data = encode(pixels("stealth_pnginfo"), pnginfo=info)
    assert read_stealth(data, "image/png").text == TEXT


@pytest.mark.parametrize("length", [0, 7, 0xFFFFFFFF])
def test_a_length_that_is_wrong_is_survived(length):
    found = read_stealth(encode(pixels("stealth_pnginfo", length=length)), "image/png")
    assert found.where == "stealth-alpha"


def test_a_hidden_bomb_is_left_packed():
    found = read_stealth(encode(pixels("stealth_rgbcomp", text="x" * (5 << 20), size=(400, 400))), "image/png")
    assert found.text == ""


def test_pictures_beyond_the_limits_are_not_decoded(monkeypatch):
    data = encode(pixels("stealth_pnginfo"))
    low = encode(pixels("stealth_pnginfo", size=(100, 50)))
    webp = encode(pixels("stealth_pnginfo"), "WEBP", lossless=True, exact=True)
    monkeypatch.setattr(stealth, "MAX_UNMARKED_PIXELS", 1000)
    assert read_stealth(data, "image/png") is not None
    assert read_stealth(low, "image/png") is None
    assert read_stealth(webp, "image/webp") is None
    monkeypatch.setattr(stealth, "MAX_PIXELS", 1000)
    assert read_stealth(data, "image/png") is None


@pytest.mark.parametrize("mode", ["L", "P", "I;16", "LA"])
def test_other_kinds_of_pixels_hide_nothing(files, mode):
    assert read_stealth(files.picture("PNG", mode), "image/png") is None


def test_a_broken_stream_is_survived():
    data = encode(pixels("stealth_pnginfo"))
    at = data.index(b"IDAT")
    assert read_stealth(data[: at + 4] + bytes(50) + data[at + 54 :], "image/png") is None
    assert read_stealth(b"", "image/png") is None
    assert read_stealth(b"RIFF\0\0\0\0WEBP", "image/webp") is None
