from __future__ import annotations

import io
from pathlib import Path

import PIL.Image

import sixlens
from sixlens.page import page_picture, small_picture


def test_pictures_of_pages_are_small_and_carry_no_metadata(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    exif = PIL.Image.Exif()
    exif[0x010E] = "a private description"
    PIL.Image.new("RGB", (3000, 1500), "teal").save(path, exif=exif, comment=b"a private comment")
    image = sixlens.load_image(path)
    for data, size in ((page_picture(image), (1024, 512)), (small_picture(image), (160, 80))):
        assert b"private" not in data
        read = PIL.Image.open(io.BytesIO(data))
        assert (read.format, read.size) == ("JPEG", size)
        assert not read.getexif()
