"""From the bytes of a picture file to upright 8-bit RGB pixels, with bounded work, or to one clear error."""

from __future__ import annotations

import importlib
import io
import struct
import zlib
from dataclasses import dataclass, field

import PIL.Image

# These register themselves. Left to find them by itself, Pillow would import all of its forty plug-ins.
from PIL import AvifImagePlugin, TiffImagePlugin, WebPImagePlugin  # noqa: F401
from PIL.ExifTags import Base

from backends.errors import ImageError
from backends.images.kind import identify
from backends.images.quiet import quiet
from backends.images.rgb import to_rgb
from backends.images.structure import MOST_FRAMES, gif_frames, jpeg_scans, tiff_pages

DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    AttributeError,
    AssertionError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    PIL.Image.DecompressionBombError,
)
"""What Pillow's plug-ins raise on damaged files."""

_MOST_READS = 400_000
_MOST_EXIF_BLOCKS = 64
_MOST_SCANNED_PIXELS = 4_000_000_000
_MOST_RUN_LENGTH_PIXELS = 16_000_000

_TURNS = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_270,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded picture.

    `pixels` is RGB and upright, with an empty `info`. `format` is the format found, `frames` counts the frames or pages
    of the file, of which the first was taken. `profile` is the RGB colour profile that `pixels` still need, if any.
    `notes` are plain sentences about what was done to the picture.
    """

    pixels: PIL.Image.Image
    format: str
    frames: int
    profile: bytes | None = field(repr=False)
    notes: tuple[str, ...]


def decode(data: bytes, max_pixels: int, max_edge: int) -> Decoded:
    """Decode a picture file completely.

    Args:
        data: the file.
        max_pixels: refuse pictures with more pixels than this, before decoding.
        max_edge: refuse pictures that are wider or higher than this many pixels, before decoding.

    Raises:
        ImageError: the bytes are no picture, or it is damaged, cut off, or unsafe to decode. The message is one line
            and does not name the file.

    """
    name = identify(data)
    if name == "HEIF":
        _register_heif()
    try:
        frames = _walk(name, data)
        with quiet, PIL.Image.open(_Source(data), formats=[name]) as image:
            _check_size(image.size, max_pixels, max_edge)
            _check_cost(image, data)
            return _decode(image, data, frames)
    except DAMAGE as error:
        raise ImageError(_reason(error, name)) from error


def orientation_of(image: PIL.Image.Image) -> int:
    """Return the EXIF orientation of an image, 1 (upright) to 8; damaged or absent EXIF means upright."""
    try:
        value = image.getexif().get(Base.Orientation, 1)
    except DAMAGE:
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def turn_upright(image: PIL.Image.Image, orientation: int) -> PIL.Image.Image:
    """Turn an image upright from its EXIF orientation, 1 to 8; a new image unless it is 1."""
    return image if orientation == 1 else image.transpose(_TURNS[orientation])


class _TooManyPartsError(OSError):
    """A file is read in so many small steps that parsing it would take seconds."""


class _Source(io.BytesIO):
    """The file as Pillow reads it. Its parsers step through millions of tiny chunks when a file holds them."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads += 1
        if self._reads > _MOST_READS:
            raise _TooManyPartsError("too many parts")
        return super().read(size)


def _register_heif() -> None:
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError as error:
        raise ImageError(
            "HEIC pictures need a plug-in: pip install pillow-heif, or convert the picture to JPEG"
        ) from error


def _walk(name: str, data: bytes) -> int | None:
    """Look through a file where Pillow would look too long. Returns the number of frames where that was counted."""
    if name == "JPEG" and data.count(b"Exif\x00\x00") > _MOST_EXIF_BLOCKS:
        raise _TooManyPartsError("too many EXIF blocks")  # Pillow joins them one by one
    if name == "GIF":
        return gif_frames(data)
    if name == "TIFF":
        return tiff_pages(data)
    return None


def _check_size(size: tuple[int, int], max_pixels: int, max_edge: int) -> None:
    width, height = size
    if width * height > max_pixels:
        limit = f"more than the {max_pixels / 1e6:g} million allowed"
    elif max(width, height) > max_edge:
        limit = f"more than the {max_edge} along one edge allowed"
    else:
        return
    raise ImageError(f"the picture has {width} × {height} pixels, {limit}; scale it down")


def _check_cost(image: PIL.Image.Image, data: bytes) -> None:
    """Refuse the few kinds of picture whose decoding takes much longer than their size says."""
    pixels = image.width * image.height
    if image.format in ("JPEG", "MPO"):
        enough = _MOST_SCANNED_PIXELS // pixels
        if jpeg_scans(data, enough) > enough:
            raise _TooManyPartsError("too many scans")
    run_length = any(tile[0] == "bmp_rle" for tile in getattr(image, "tile", ()))
    if run_length and pixels > _MOST_RUN_LENGTH_PIXELS:
        raise ImageError("the picture is a large run-length BMP; convert it to PNG")


def _decode(image: PIL.Image.Image, data: bytes, counted: int | None) -> Decoded:
    frames = int(getattr(image, "n_frames", 1)) if counted is None else counted
    notes = [f"first of {'at least ' if frames >= MOST_FRAMES else ''}{frames} frames"] if frames > 1 else []
    deep = _sample_bits(image, data) > 8
    # Pillow turns TIFF upright by itself while loading and forgets the tag.
    turned_by_pillow = isinstance(image, TiffImagePlugin.TiffImageFile)
    orientation = orientation_of(image) if turned_by_pillow else 1
    image.load()
    if not turned_by_pillow:
        orientation = orientation_of(image)
    pixels, profile = to_rgb(image, deep, notes)
    if orientation != 1:
        notes.append(f"turned upright from EXIF orientation {orientation}")
        pixels = pixels if turned_by_pillow else turn_upright(pixels, orientation)
    pixels.info.clear()
    return Decoded(pixels, image.format or "", frames, profile, tuple(notes))


def _sample_bits(image: PIL.Image.Image, data: bytes) -> int:
    """Bits of a sample in the file, where Pillow may have cut it to 8."""
    if image.format == "PNG":
        return data[24]
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return int(max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (8,))))
    return 8


def _reason(error: BaseException, name: str) -> str:
    """Say in one line what is wrong with a file that Pillow could not decode."""
    text = str(error)
    if isinstance(error, _TooManyPartsError):
        return "the file is built from too many small parts to be decoded safely"
    if isinstance(error, PIL.Image.DecompressionBombError):
        return "the picture has more pixels than can be decoded safely; scale it down"
    if isinstance(error, MemoryError):
        return "there is not enough memory to decode the picture"
    if "too large" in text or "Too much memory" in text:
        return "the file holds a compressed block that unpacks to an unsafe size"
    if isinstance(error, EOFError) or any(word in text for word in ("truncated", "Truncated", "not enough image data")):
        return "the file is cut off: it ends before the picture does"
    return f"the file is damaged: it begins like {name} but cannot be decoded"
