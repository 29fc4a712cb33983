"""The pictures of a server: files in one folder, named after their judgments, never after what a client says."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import BinaryIO

from backends.errors import ConfigError, ImageError
from backends.images.image import Image, ImageLimits
from backends.images.kind import identify
from backends.images.source import display_name, load_image
from sixlens.server.errors import storage

_CHUNK = 1024 * 1024
_SUFFIXES = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".mpo",
        ".png",
        ".apng",
        ".webp",
        ".gif",
        ".tif",
        ".tiff",
        ".bmp",
        ".dib",
        ".avif",
        ".heic",
        ".heif",
    }
)
_IN_FORMS = {"%22": '"', "%0D": "\r", "%0A": "\n"}
"""How browsers write what cannot stand in the name of a file in a form; everything else they leave as it is."""
_PARTIAL = ".part"
_ORPHAN_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Spooled:
    """A picture that was written to disk."""

    sha256: str
    bytes: int


class PictureFolder:
    """Keeps original files while they are needed. Every method blocks; call it beside the event loop.

    Args:
        folder: where the files lie; made when it is not there.
        limits: what a picture may weigh.
    """

    def __init__(self, folder: Path, limits: ImageLimits) -> None:
        self._folder = folder
        self.limits = limits

    def open(self) -> None:
        """Make the folder, readable for its owner alone.

        Raises:
            ConfigError: it cannot be made.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{self._folder} cannot be used for pictures ({error.strerror}).") from error

    def path(self, judgment: str, suffix: str) -> Path:
        """Where the picture of this judgment lies, or would lie."""
        return self._folder / f"{judgment}{suffix}"

    @storage()
    def spool(self, judgment: str, suffix: str, source: BinaryIO) -> Spooled:
        """Copy a file here, whole or not at all.

        Raises:
            ImageError: it does not begin like a picture that can be read.
            StorageError: it cannot be written.
        """
        identify(source.read(_CHUNK))
        source.seek(0)
        partial = self.path(judgment, _PARTIAL)
        digest, size = hashlib.sha256(), 0
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path(judgment, suffix))
        finally:
            partial.unlink(missing_ok=True)
        return Spooled(digest.hexdigest(), size)

    @storage()
    def write(self, judgment: str, suffix: str, data: bytes) -> None:
        """Keep a picture that was fetched. Raises StorageError."""
        partial = self.path(judgment, _PARTIAL)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
        partial.replace(self.path(judgment, suffix))

    @storage()
    def link(self, judgment: str, source: str, suffix: str) -> bool:
        """Keep one judgment's picture for another one too; False when it is not kept.

        Raises:
            StorageError: it cannot be written.
        """
        old, new = self.path(source, suffix), self.path(judgment, suffix)
        try:
            new.hardlink_to(old)
        except FileNotFoundError:
            return False
        except OSError:
            # Some file systems know no second name for a file.
            shutil.copyfile(old, new)
        # Both names have the time of the old one, and so old a file that belongs to no judgment yet would be deleted.
        os.utime(new)
        return True

    def load(self, judgment: str, suffix: str, name: str) -> Image:
        """Read and decode a picture, under the name that its sender gave it.

        Raises:
            ImageError: it cannot be read, or is refused.
        """
        path = self.path(judgment, suffix)
        try:
            image = load_image(path, limits=self.limits)
        except ImageError as error:
            raise error.again(str(error).replace(path.name, name, 1)) from error
        return replace(image, name=name, path=None)

    def fetch(self, judgment: str, url: str) -> Image:
        """Fetch a picture and keep it.

        Raises:
            ImageError: it cannot be fetched or read, or is refused.
            StorageError: it cannot be written.
        """
        image = load_image(url, allow_urls=True, limits=self.limits)
        self.write(judgment, "", image.data)
        return image

    @storage()
    def remove(self, judgment: str, suffix: str) -> None:
        """Delete a picture; it need not be there. Raises StorageError."""
        self.path(judgment, suffix).unlink(missing_ok=True)

    @storage()
    def remove_all(self, judgments: Iterable[str]) -> None:
        """Delete the pictures of these judgments, whatever their suffixes. Raises StorageError."""
        names = frozenset(judgments)
        for path in self._folder.iterdir():
            if path.stem in names:
                path.unlink(missing_ok=True)

    @storage()
    def remove_orphans(self, kept: frozenset[str] | set[str]) -> None:
        """Delete files older than an hour that belong to no judgment in `kept`, for example after a crash.

        Raises:
            StorageError: one cannot be deleted.
        """
        before = time.time() - _ORPHAN_SECONDS
        for path in self._folder.iterdir():
            if path.stem not in kept and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)


def shown_name(file_name: str | None) -> tuple[str, str]:
    """A file name as it is shown and kept, and its suffix if it is one of a picture, else an empty one."""
    name = file_name or ""
    for code, letter in _IN_FORMS.items():
        name = name.replace(code, letter)
    name = display_name(PurePath(name.replace("\\", "/")).name)
    suffix = PurePath(name).suffix.lower()
    return name, suffix if suffix in _SUFFIXES else ""
