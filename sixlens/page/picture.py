"""The picture as a page carries it: small, upright, without metadata."""

from __future__ import annotations

from backends.images.image import Image

MAX_EDGE = 1024
SMALL_EDGE = 160
_QUALITY = 85
_SMALL_QUALITY = 70


def page_picture(image: Image) -> bytes:
    """A JPEG of at most 1,024 pixels on its longer edge, without metadata."""
    return image.deliver(MAX_EDGE, _QUALITY).data


def small_picture(image: Image) -> bytes:
    """A JPEG for lists, of at most 160 pixels on its longer edge, without metadata."""
    return image.deliver(SMALL_EDGE, _SMALL_QUALITY).data
