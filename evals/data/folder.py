"""The pictures in a folder, at any depth: a bounded walk that stays inside it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from backends.errors import ConfigError, InputError
from evals.data.table import READERS

SUFFIXES = frozenset(
    (".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jpe", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff")
) | {".webp"}
MOST_FILES = 2_000_000
MOST_DEPTH = 32
_FEW = 3
TABLES = ("metadata", "manifest")
"""What tables that say something of pictures are called, without their endings."""


@dataclass(slots=True)
class Found:
    """What a walk came upon."""

    files: list[tuple[str, Path, int]] = field(default_factory=list)
    """Path below the folder with forward slashes, the file, its size in bytes; in the order of the paths."""
    tables: list[str] = field(default_factory=list)
    """Tables by their names: paths below the folder, in their order."""
    others: int = 0
    """Other files that are no pictures by their names."""
    outside: list[str] = field(default_factory=list)
    """Links that lead out of the folder, or to other folders."""
    unreadable: list[str] = field(default_factory=list)

    def warnings(self) -> tuple[str, ...]:
        """What was left out, in plain sentences."""
        told = (
            (self.outside, "lead out of the folder or to another folder and were left out; copy the pictures there"),
            (self.unreadable, "cannot be read and were left out; check their permissions"),
        )
        return tuple(f"{len(names)} links or files {words}: {few(names)}." for names, words in told if names)


def walk(root: Path) -> Found:
    """Every picture below a folder. Hidden files are passed over, and links followed only to files inside.

    Raises:
        InputError: the folder cannot be read.
        ConfigError: it is deeper or larger than a data set may be.
    """
    found = Found()
    try:
        inside = root.resolve(strict=True)
        _walk(inside, (), found, inside)
    except OSError as error:
        raise InputError(f"{root}: the folder cannot be read ({error.strerror}).") from error
    found.files.sort()
    found.tables.sort()
    return found


def few(names: list[str], most: int = _FEW) -> str:
    """The first names, on one line."""
    shown = ", ".join(printable(name)[:120] for name in sorted(names)[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def printable(text: str) -> str:
    """Text with whatever is no character, or could command a terminal, written out."""
    clean = text.encode("utf-8", "backslashreplace").decode()
    return clean if clean.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in clean)


def _walk(folder: Path, parts: tuple[str, ...], found: Found, root: Path) -> None:
    if len(parts) > MOST_DEPTH:
        raise ConfigError(f"{'/'.join(parts)}: folders in folders, more than {MOST_DEPTH} deep; flatten the data set.")
    with os.scandir(folder) as entries:
        listed = list(entries)
    for entry in listed:
        if entry.name.startswith((".", "__MACOSX")):
            continue
        name = "/".join((*parts, entry.name))
        try:
            if entry.is_dir(follow_symlinks=False):
                _walk(Path(entry.path), (*parts, entry.name), found, root)
            else:
                _add(entry, name, found, root)
        except OSError:
            found.unreadable.append(name)


def _add(entry: os.DirEntry[str], name: str, found: Found, root: Path) -> None:
    picture = os.path.splitext(entry.name)[1].lower() in SUFFIXES  # noqa: PTH122 - a path object costs ten times as much
    if entry.is_symlink() and (not entry.is_file() or not Path(entry.path).resolve().is_relative_to(root)):
        # A link that leads nowhere, or to a folder, says as little as one that leads out.
        if picture or entry.is_dir():
            found.outside.append(name)
        return
    if not picture:
        stem, suffix = os.path.splitext(entry.name)  # noqa: PTH122 - as above
        if stem in TABLES and suffix in READERS and entry.is_file():
            found.tables.append(name)
        else:
            found.others += 1
        return
    if not entry.is_file():
        found.unreadable.append(name)  # a pipe or a device
        return
    if len(found.files) >= MOST_FILES:
        raise ConfigError(f"More than {MOST_FILES:,} pictures; give a part of the data set.")
    found.files.append((printable(name), Path(entry.path), entry.stat().st_size))
