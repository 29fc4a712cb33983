from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import sys
import types
import urllib.parse
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from backends.errors import ImageError
from backends.images.fetch import Fetcher
from backends.images.image import ImageLimits
from backends.images.source import display_name, load_image, written_name


def encode(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


PICTURE = PIL.Image.fromarray(np.random.default_rng(3).integers(0, 255, (20, 30, 3), dtype=np.uint8))
PNG = encode(PICTURE, "PNG")
JPEG = encode(PICTURE, "JPEG")


class Shelf(Fetcher):
    """Fetches one fixed answer."""

    def fetch(self, url, limits):
        return PNG


@pytest.mark.parametrize("make", [str, Path, lambda path: _PathLike(str(path))])
def test_a_path(tmp_path, make):
    path = tmp_path / "my photo.png"
    path.write_bytes(PNG)
    image = load_image(make(path))
    assert (image.name, image.path) == ("my photo.png", str(path))
    assert (image.data, image.sha256, image.format) == (PNG, hashlib.sha256(PNG).hexdigest(), "PNG")
    assert (image.width, image.height, image.frames, image.notes) == (30, 20, 1, ())


class _PathLike:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


def test_a_path_is_kept_as_given(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(PNG)
    monkeypatch.chdir(tmp_path)
    assert load_image("./a.png").path == "./a.png"


def test_a_symbolic_link_to_a_picture(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "link.png").symlink_to("a.png")
    assert load_image(tmp_path / "link.png").name == "link.png"


def test_a_name_that_is_not_utf_8_can_be_written_down(tmp_path):
    path = os.fsdecode(bytes(tmp_path) + b"/caf\xe9.png")
    Path(path).write_bytes(PNG)
    image = load_image(path)
    assert image.name == "caf\\udce9.png"
    json.dumps([image.name, image.path], ensure_ascii=False).encode()


def test_bytes():
    image = load_image(PNG)
    assert (image.name, image.path, image.data) == ("bytes", None, PNG)


def test_standard_input(monkeypatch):
    image = load_image("-", stdin=io.BytesIO(JPEG))
    assert (image.name, image.path, image.format) == ("standard input", "-", "JPEG")
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(PNG)))
    assert load_image("-").data == PNG
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ImageError, match="there is no standard input"):
        load_image("-")


def test_standard_input_that_comes_in_small_pieces():
    class Slow(io.BytesIO):
        def read(self, size=-1, /):
            return super().read(min(size, 7))

    assert load_image("-", stdin=Slow(PNG)).data == PNG


def test_no_more_than_the_limit_is_read_from_standard_input():
    stream = io.BytesIO(bytes(10_000_000))
    with pytest.raises(ImageError, match="larger than"):
        load_image("-", stdin=stream, limits=ImageLimits(max_bytes=1000))
    assert stream.tell() == 1001


PACKED = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    "uri",
    [
        f"data:image/png;base64,{PACKED}",
        f"DATA:IMAGE/PNG;BASE64,{PACKED}",
        f"data:;base64,{PACKED}",
        f"data:image/png;name=a.png;base64,{PACKED}",
        f"data:image/png;base64,{PACKED.rstrip('=')}",
        "data:image/png;base64,\n" + "\n".join(PACKED[at : at + 76] for at in range(0, len(PACKED), 76)),
        f"data:image/png;base64,{urllib.parse.quote(PACKED, safe='')}",
        f"data:image/png;base64,{base64.urlsafe_b64encode(PNG).decode()}",
        f"data:image/png,{urllib.parse.quote_from_bytes(PNG)}",
    ],
)
def test_a_data_uri(uri):
    image = load_image(uri)
    assert (image.name, image.path, image.data, image.notes) == ("data URI", None, PNG, ())


def test_a_data_uri_of_exactly_the_limit():
    uri = f"data:image/png;base64,{PACKED}"
    assert load_image(uri, limits=ImageLimits(max_bytes=len(PNG))).data == PNG
    with pytest.raises(ImageError, match="larger than"):
        load_image(uri, limits=ImageLimits(max_bytes=len(PNG) - 1))


def test_a_web_address_leaves_its_secrets_behind():
    image = load_image("https://pics.example:8443/a/my%20photo.png?key=secret#secret", allow_urls=True, fetcher=Shelf())
    assert (image.name, image.path) == ("my photo.png", "https://pics.example:8443/a/my%20photo.png")
    assert load_image("HTTPS://pics.example", allow_urls=True, fetcher=Shelf()).name == "pics.example"
    label = load_image("https://me:secret@pics.example/?x=secret", allow_urls=True, fetcher=Shelf())
    assert (label.name, label.path) == ("pics.example", "https://pics.example/")


def test_web_addresses_are_off_by_default():
    with pytest.raises(ImageError) as caught:
        load_image("https://pics.example/a.png?key=secret", fetcher=Shelf())
    assert "--allow-urls" in str(caught.value)
    assert "allow_urls=True" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("1", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("RGB", "PNG"), ("RGBA", "PNG"), ("I;16", "PNG"),
        ("PA", "PNG"), ("La", "PNG"), ("RGBa", "PNG"), ("RGBX", "PNG"), ("HSV", "PNG"), ("YCbCr", "PNG"),
        ("LAB", "PNG"), ("I", "TIFF"), ("F", "TIFF"), ("CMYK", "TIFF"),
    ],
)  # fmt: skip
def test_a_pil_image_of_any_mode(mode, kind):
    given = PIL.Image.new(mode, (4, 3))
    image = load_image(given)
    assert (image.format, image.width, image.height) == (kind, 4, 3)
    assert (image.name, image.path) == ("PIL image", None)
    assert image.notes[0] == "given as a PIL image, kept without loss and without metadata"


def test_a_pil_image_loses_nothing_but_its_metadata():
    given = PICTURE.copy()
    given.info["comment"] = "secret"
    image = load_image(given)
    assert np.array_equal(np.asarray(image.pixels()), np.asarray(PICTURE))
    assert b"secret" not in image.data
    assert image.sha256 == load_image(PICTURE).sha256
    assert given.info == {"comment": "secret"}


def test_a_pil_image_with_transparency_keeps_it():
    given = PIL.Image.new("P", (4, 4), 0)
    given.info["transparency"] = 0
    assert load_image(given).pixels().getpixel((0, 0)) == (255, 255, 255)


def test_an_opened_pil_image_is_turned_upright():
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    with PIL.Image.open(io.BytesIO(encode(PICTURE, "PNG", exif=exif))) as given:
        image = load_image(given)
    assert (image.width, image.height) == (20, 30)
    turned = PICTURE.transpose(PIL.Image.Transpose.ROTATE_270)
    assert np.array_equal(np.asarray(image.pixels()), np.asarray(turned))


@pytest.mark.parametrize(
    ("name", "data", "note"),
    [
        ("a.png", JPEG, "named .png but is JPEG"),
        ("A.JPG", PNG, "named .jpg but is PNG"),
        ("a.heic", JPEG, "named .heic but is JPEG"),
        ("a.jpeg", JPEG, None),
        ("a.jfif", JPEG, None),
        ("a", JPEG, None),
        ("a.txt", JPEG, None),
    ],
)
def test_a_name_that_promises_another_format(tmp_path, name, data, note):
    (tmp_path / name).write_bytes(data)
    image = load_image(tmp_path / name)
    assert image.notes == ((note,) if note else ())


def test_a_data_uri_that_promises_another_format():
    uri = "data:image/webp;base64," + base64.b64encode(JPEG).decode()
    assert load_image(uri).notes == ("named image/webp but is JPEG",)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("photo.jpg", "photo.jpg"),
        ("Größe 写真 🙂.png", "Größe 写真 🙂.png"),
        ("a\r\n\tb\x1b[31m\x9b.png", "ab[31m.png"),
        ("\u202egnp.exe\u2069\u200f", "gnp.exe"),
        ("\u200b\u2060\ufeff", "unnamed picture"),
        ("line\u2028separator\u2029.png", "lineseparator.png"),
        ("x" * 500 + ".jpeg", "x" * 114 + "….jpeg"),
        ("y" * 120, "y" * 120),
        ("z" * 121, "z" * 119 + "…"),
    ],
)
def test_names_are_made_harmless(text, shown):
    assert display_name(text) == shown
    assert len(shown) <= 120


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/home/Anna Schmidt/a b.png", "a b.png"),
        ("https://somebody:key@example.org/a/b%20c.png?token=x#y", "b c.png"),
        ("data:image/png;base64,aaaa", "data URI"),
        ("-", "standard input"),
    ],
)
def test_a_name_tells_neither_folder_nor_secret(source, name):
    assert written_name(source) == name


def test_the_file_may_be_exactly_as_large_as_allowed(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    assert load_image(tmp_path / "a.png", limits=ImageLimits(max_bytes=len(PNG))).data == PNG
    with pytest.raises(ImageError, match="larger than"):
        load_image(tmp_path / "a.png", limits=ImageLimits(max_bytes=len(PNG) - 1))


def test_a_file_that_becomes_a_pipe_between_two_looks_does_not_block(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(PNG)
    os.mkfifo(tmp_path / "pipe")
    opened = os.open
    monkeypatch.setattr(os, "open", lambda path, flags: opened(tmp_path / "pipe", flags))
    with pytest.raises(ImageError, match="this is a pipe"):
        load_image(tmp_path / "a.png")


def test_the_cause_of_an_error_is_kept():
    with pytest.raises(ImageError) as caught:
        load_image(JPEG[:300])
    causes = []
    error = caught.value
    while (error := error.__cause__) is not None:
        causes.append(type(error))
    assert OSError in causes
