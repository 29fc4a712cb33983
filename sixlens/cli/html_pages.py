"""The pages that `sixlens judge --html` writes: one for a picture, or a list with the pages beside it."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from backends.errors import ConfigError
from backends.images.image import Image
from backends.images.source import load_image
from orchestrator.judge import Judged
from sixlens.cli.terminal import say
from sixlens.page import IndexEntry, index_page, is_page, page_picture, small_picture, verdict_page

MOST_THUMBNAILS = 1000
"""Pictures in a list that are shown; a longer list would weigh too much for a browser."""

_SUFFIXES = (".html", ".htm")
_PAGE = re.compile(r"\d{4,}\.html")


class HtmlPages:
    """Writes pages as pictures are judged, and their list at the end of a `with` block, however it ends.

    A page that cannot be written costs nobody's verdict. The folder beside a list is left with the pages of this list
    alone: those of an earlier one would be passed on with it, and tell of pictures that are not in it.

    Args:
        file: the page of the one picture, or the list of many.
        count: how many pictures there are.
        allow_urls: whether pictures may be fetched from web addresses.
        include_private: show what is private, too.

    Raises:
        ConfigError: no file can be written there.
    """

    def __init__(self, file: Path, count: int, *, allow_urls: bool = False, include_private: bool = False) -> None:
        _check(file)
        self._file = file
        self._several = count > 1
        self._allow_urls = allow_urls
        self._include_private = include_private
        self._folder = file.with_name(f"{file.stem}-pages")
        self._pictures: dict[int, tuple[bytes, bytes]] = {}
        self._entries: dict[int, IndexEntry] = {}
        self.codes: list[int] = []
        """An exit code for each page that could not be written."""
        if self._several:
            _make_folder(self._folder)

    def reading(self, index: int, given: str | Image) -> Callable[[], Image]:
        """What reads a picture when its turn has come, and keeps small copies of it for its page."""

        def read() -> Image:
            image = given if isinstance(given, Image) else load_image(given, allow_urls=self._allow_urls)
            small = small_picture(image) if self._several and index < MOST_THUMBNAILS else b""
            self._pictures[index] = page_picture(image), small
            return image

        return read

    def add(self, judged: Judged, name: str, paths: Iterable[str | None] = ()) -> None:
        """Write the page of a verdict; remember it, or the error in its place, for the list.

        Args:
            judged: what became of the picture.
            name: what the picture is called when there is no verdict, without its folder.
            paths: those that may stand in an error.
        """
        picture, small = self._pictures.pop(judged.index, (None, b""))
        verdict, private = judged.verdict, self._include_private
        if verdict is None:
            unusable = IndexEntry.unusable(name, str(judged.error), paths=paths, include_private=private)
            self._entries[judged.index] = unusable
            return
        page = f"{judged.index + 1:04}.html"  # as `_PAGE` has it
        self._write(
            self._folder / page if self._several else self._file,
            verdict_page(verdict, picture, include_private=private),
        )
        self._entries[judged.index] = IndexEntry.of(
            verdict, href=f"{self._folder.name}/{page}", thumbnail=small or None, include_private=private
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Write the list of what was done, in the order in which the pictures were named; one picture needs none."""
        if self._several and self._entries:
            self._write(self._file, index_page(self._entries[index] for index in sorted(self._entries)))
            self._remove_earlier()

    def _remove_earlier(self) -> None:
        """Remove pages of an earlier list, but nothing that sixlens did not write."""
        listed = {entry.href for entry in self._entries.values()}
        for path in self._folder.glob("*.html"):
            if _PAGE.fullmatch(path.name) is None or f"{self._folder.name}/{path.name}" in listed:
                continue
            try:
                if is_page(path.read_bytes()):
                    path.unlink()
            except OSError as error:
                say(f"{path} is of an earlier list, and cannot be removed: {error.strerror or 'unknown reason'}.")
                self.codes.append(ConfigError.exit_code)

    def _write(self, path: Path, text: str) -> None:
        try:
            write_whole(path, text)
        except OSError as error:
            say(f"{path} cannot be written: {error.strerror or 'unknown reason'}.")
            self.codes.append(ConfigError.exit_code)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all. Raises OSError."""
    beside = path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}.part")
    try:
        with beside.open("xb") as file:
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _check(file: Path) -> None:
    """Refuse a place where no file can be written, before anybody is asked anything."""
    try:
        trouble = _trouble(file)
    except (OSError, ValueError) as error:
        trouble = _why(error)
    if trouble:
        raise ConfigError(f"--html {file} cannot be written: {trouble}.")


def _trouble(file: Path) -> str:
    """What keeps a file from being written there; empty when nothing does. Raises OSError and ValueError."""
    folder = file.parent
    if file.suffix.lower() not in _SUFFIXES and not file.is_dir():
        # A picture whose name has slipped behind --html would be written over.
        return "its name must end in .html"
    if file.is_dir():
        return f"it is a folder; name a file in it, for example {file / 'report.html'}"
    if file.exists() and not file.is_file():
        return "it is no ordinary file; give another name"
    if not folder.is_dir():
        return f"there is no folder {folder}; make it first"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"the folder {folder} may not be written to"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be made for the pages: {_why(error)}.") from error


def _why(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or "unknown reason"
