"""One picture of a data set, with what is said of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from backends.errors import ImageError
from backends.images.image import MAX_DELIVERED_EDGE, Image
from backends.images.source import load_image
from evals.data.spec import Reencode
from paradigms.label import Label

NO_EDGE = MAX_DELIVERED_EDGE
"""Pixels: what is longer is shrunk to it when pictures are re-encoded without an edge of their own."""


@dataclass(frozen=True)
class Item:
    """One case of a data set. Nothing of it but the picture's pixels is ever shown to a model."""

    case: str
    """Its name, unique in the data set: the path below the folder, with forward slashes, or a table's own name."""
    path: Path
    truth: Label | None = None
    """`generated` or `real`, as the data set says; None where it says nothing."""
    generator: str | None = None
    source: str | None = None
    size: int = 0
    """Bytes of the file."""

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the file, which is read for it once.

        Raises:
            ImageError: it cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ImageError(f"{self.case}: {error.strerror or 'cannot be read'}") from error

    @property
    def digest(self) -> str | None:
        """`sha256`, or None for a file that cannot be read."""
        try:
            return self.sha256
        except ImageError:
            return None

    def load(self, reencode: Reencode | None = None) -> Image:
        """The picture, as it is or re-encoded.

        Raises:
            ImageError: it cannot be read, or is refused.
        """
        image = load_image(self.path)
        return image if reencode is None else reencoded(image, reencode)


def reencoded(image: Image, how: Reencode) -> Image:
    """The picture through the one path that all take: upright, sRGB, shrunk, JPEG without metadata.

    Raises:
        ImageError: it cannot be decoded again.
    """
    with image:
        picture = image.deliver(how.max_edge or NO_EDGE, how.quality)
    return image.replaced(picture.data, f"re-encoded as JPEG of quality {how.quality}")
