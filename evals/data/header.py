"""What a picture file shows without being decoded: its format, its size, and which metadata it carries."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from backends.errors import ImageError
from backends.images.decode import DAMAGE, orientation_of
from backends.images.kind import identify
from backends.images.quiet import quiet

_HEADS = (64 * 1024, 1024 * 1024, 8 * 1024 * 1024)
"""Bytes that are read of a file: more only where its header is longer. One that is longer still is not known."""
_STANDARD_MEAN = 57.625
"""The mean of the luminance table of ITU-T T.81, annex K, which encoders scale by their quality."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a file from its first bytes."""

    format: str
    width: int
    """Pixels of the upright picture, as is `height`."""
    height: int
    bytes: int
    exif: bool = False
    xmp: bool = False
    c2pa: bool = False
    text: bool = False
    """Text chunks or comments."""
    profile: bool = False
    """A colour profile."""
    alpha: bool = False
    jpeg_quality: float | None = None
    """On libjpeg's scale, estimated; None for other formats."""


def read_header(path: Path) -> Header | None:
    """The header of a picture file; None if it is none, or cannot be read."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = b""
            for most in _HEADS:
                head += file.read(most - len(head))
                found = _header(head, size)
                if found is not None or len(head) >= size:
                    return found
    except OSError:
        return None
    return None


def _header(head: bytes, size: int) -> Header | None:
    try:
        name = identify(head)
        with quiet, PIL.Image.open(io.BytesIO(head), formats=[name]) as image:
            return _of(image, head, size)
    except (ImageError, *DAMAGE):
        return None


def _of(image: PIL.Image.Image, head: bytes, size: int) -> Header:
    info = image.info
    width, height = image.size
    exif = bool(info.get("exif"))
    if exif and orientation_of(image) >= 5:
        width, height = height, width
    name = image.format or ""
    tables: dict[int, Any] = getattr(image, "quantization", None) or {}
    # Not the attribute `text`, for which Pillow would decode the picture.
    texts = [str(key) for key, value in info.items() if isinstance(value, str)] if name == "PNG" else []
    return Header(
        format="JPEG" if name == "MPO" else name,
        width=width,
        height=height,
        bytes=size,
        exif=exif,
        xmp=bool(info.get("xmp")) or any(key.startswith("XML:com.adobe") for key in texts),
        c2pa=any(mark in head for mark in (b"jumdc2pa", b"c2pa.claim", b"caBX")),
        text=any(not key.startswith("XML:com.adobe") for key in texts) or bool(info.get("comment")),
        profile=bool(info.get("icc_profile")),
        alpha=image.mode in ("RGBA", "LA", "PA") or "transparency" in info,
        jpeg_quality=_quality(tables[0]) if 0 in tables else None,
    )


def _quality(table: Any) -> float:
    """The quality at which libjpeg would write a table that is as coarse on average."""
    scale = 100 * float(np.mean(table)) / _STANDARD_MEAN
    return round(5000 / scale if scale > 100 else max(1.0, (200 - scale) / 2), 1)


def read_headers(paths: Sequence[Path]) -> list[Header | None]:
    """The headers of many files, in their order."""
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(read_header, paths))
