from __future__ import annotations

import io
import warnings

import PIL.Image
import pytest

from backends.images.quiet import quiet


def damaged_tiff():
    stream = io.BytesIO()
    PIL.Image.new("RGB", (50, 50), "red").save(stream, "TIFF", compression="tiff_adobe_deflate")
    data = bytearray(stream.getvalue())
    data[8:40] = bytes(32)
    return bytes(data)


def load_damaged():
    with PIL.Image.open(io.BytesIO(damaged_tiff())) as image, pytest.raises(OSError, match="decoder error"):
        image.load()


def test_libtiff_is_silent_inside(capfd):
    with quiet:
        load_damaged()
        with quiet:
            load_damaged()
        load_damaged()
    assert capfd.readouterr().err == ""


def test_only_warnings_of_pillow_are_silent():
    with quiet, pytest.warns(UserWarning, match="ours"):
        warnings.warn("ours", UserWarning, stacklevel=1)


def test_everything_is_as_before_afterwards():
    before = list(warnings.filters)
    with pytest.raises(ZeroDivisionError), quiet:
        raise ZeroDivisionError
    assert list(warnings.filters) == before
