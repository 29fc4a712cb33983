"""What a folder or a table holds: its layout is found out, and every picture gets what is said of it."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from backends.errors import ConfigError, InputError
from evals.data.folder import TABLES, Found, few, printable, walk
from evals.data.item import Item
from evals.data.spec import Columns, DataSpec, Layout
from evals.data.table import READERS, Row, read_table
from evals.data.words import Words, read_labels, words_of
from paradigms.label import Label

_SPLITS = frozenset(("train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval"))
_USUAL = {
    "file": ("file_name", "filename", "file", "path", "image", "image_path", "img_path", "picture"),
    "label": ("label", "labels", "truth", "class", "target"),
    "generator": ("generator", "model"),
    "source": ("source",),
    "case": ("case", "id"),
}
_NOT_BELOW = ".json"
"""Deeper in a folder, files of this ending are many things; tables of pictures are seldom among them."""
_HERE = PurePosixPath()
_OUTSIDE = "name no file inside its folder and were refused"
_MISSING = "name pictures that are not there"
_NOBODY = frozenset(("", "none", "null", "-", "n/a"))


@dataclass(slots=True)
class Listing:
    """Every picture of a data set, before any is left out, and how they were found."""

    layout: Layout
    words: str
    """How it lies there, in words."""
    items: list[Item] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def list_pictures(spec: DataSpec, base: Path) -> Listing:
    """The pictures that `path` names.

    Raises:
        InputError: nothing is there, or it cannot be read.
        ConfigError: it is not laid out as it should be.
    """
    if spec.path is None:
        raise ConfigError("There are no pictures: give `path`, a folder or a table, under `data`.")
    path = base / Path(spec.path).expanduser()
    try:
        if path.is_file():
            return _tables(_Tables(path.parent, (path,), Layout.MANIFEST), spec)
        if not path.is_dir():
            raise InputError(f"{printable(str(path))}: there is no such folder or table; check --data, or `data.path`.")
        found = walk(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{printable(str(path))}: cannot be read.") from error
    given = () if spec.layout in (Layout.REAL_FAKE, Layout.GENIMAGE, Layout.UNLABELLED) else _tables_of(path, found)
    if given:
        layout = Layout.IMAGEFOLDER if given[0].stem == "metadata" else Layout.MANIFEST
        return _tables(_Tables(path, given, layout, found), spec)
    if spec.layout in (Layout.IMAGEFOLDER, Layout.MANIFEST):
        raise ConfigError(f"{path}: there is no table (metadata or manifest, with {', '.join(READERS)}).")
    return _folder(path, found, spec)


@dataclass(frozen=True, slots=True)
class _Tables:
    """The tables that say what the pictures of a folder are."""

    root: Path
    """The folder; cases are named by their paths below it."""
    paths: tuple[Path, ...]
    layout: Layout
    found: Found | None = None
    """What the folder holds; None where a table was named by itself, which may be of a part on purpose."""

    def below(self, table: Path, name: str) -> str:
        """The path below the root, with forward slashes, of a picture that a table names."""
        path = Path(os.path.normpath(table.parent / name))
        start = self.root.resolve() if Path(name).is_absolute() else self.root
        return printable(os.path.relpath(path, start).replace(os.sep, "/"))


def _tables_of(root: Path, found: Found) -> tuple[Path, ...]:
    """The tables of a folder: its own, or of each branch below it the uppermost; `metadata` before `manifest`."""
    chosen: dict[PurePosixPath, str] = {}
    for name in found.tables:
        path = PurePosixPath(name)
        if path.parent != _HERE and path.suffix == _NOT_BELOW:
            continue
        other = PurePosixPath(chosen.get(path.parent, name))
        if other != path and other.stem == path.stem:
            raise ConfigError(f"{root / path.parent}: there are two tables named {path.stem}; name one as `data.path`.")
        chosen[path.parent] = min(str(other), name, key=lambda it: TABLES.index(PurePosixPath(it).stem))
    return tuple(root / name for folder, name in chosen.items() if not any(above in chosen for above in folder.parents))


def _tables(tables: _Tables, spec: DataSpec) -> Listing:
    if spec.layout not in (Layout.AUTO, tables.layout, Layout.MANIFEST):
        raise ConfigError(f"{tables.paths[0]}: this is a table, so its layout is {tables.layout}, not {spec.layout}.")
    imagefolder = tables.layout is Layout.IMAGEFOLDER
    kind = "pictures with metadata beside them" if imagefolder else "a table that names pictures"
    listing = Listing(tables.layout, f"{kind} ({few([tables.below(it, it.name) for it in tables.paths])})")
    named: set[str] = set()
    for table in tables.paths:
        named |= _read_rows(table, tables, spec, listing)
    if tables.found is not None:
        _tell_unnamed(tables.found, named, spec.split, listing)
    return listing


def _tell_unnamed(found: Found, named: set[str], split: str | None, listing: Listing) -> None:
    """Say which pictures of a folder no table names: whoever put them there may miss them."""
    unnamed = [name for name, _, _ in found.files if name not in named and _in_split({}, name, split)]
    if unnamed:
        listing.warnings.append(
            f"{len(unnamed)} pictures of the folder stand in no row of its tables and were left out: {few(unnamed)}."
        )


def _read_rows(table: Path, tables: _Tables, spec: DataSpec, listing: Listing) -> set[str]:
    """Add the pictures that a table names, and give all names. A row that cannot be used costs only itself."""
    rows = read_table(table)
    shown = tables.below(table, table.name)
    if not rows:
        raise ConfigError(f"{table}: the table has no rows.")
    columns = find_columns(rows, spec.columns, str(table))
    if columns.file is None:
        raise ConfigError(
            f"{table}: no column names the pictures; say which with `data.columns.file`, or leave the table out with "
            f"`data.layout`. There are: {few(sorted({name for row in rows for name in row}), 12)}."
        )
    placed = [(row, tables.below(table, row.get(columns.file, ""))) for row in rows]
    kept = [(row, below) for row, below in placed if _in_split(row, below, spec.split)]
    words = words_of(spec)
    labels = labels_of([row for row, _ in kept], columns, words, str(table))
    if columns.label is None:
        labels = [_label_above(_folders(below), words)[0] for _, below in kept]
    refused: dict[str, list[str]] = {_OUTSIDE: [], _MISSING: []}
    for (row, below), label in zip(kept, labels, strict=True):
        name = row.get(columns.file, "")
        file = _file(table.parent, name)
        if isinstance(file, str):
            refused[file].append(name or "a row without a name")
            continue
        case = below if columns.case is None else printable(row.get(columns.case, name))
        listing.items.append(said_of(row, columns, Item(case, file[0], label, size=file[1])))
    listing.warnings += [f"{shown}: {len(names)} rows {why}: {few(names)}." for why, names in refused.items() if names]
    if columns.label is None:
        where = "the names of folders were read for them" if any(labels) else "no folder is named for one"
        listing.notes.append(f"{shown} has no column of labels; {where}.")
    return {below for _, below in placed}


def find_columns(rows: list[Row], given: Columns, where: str) -> Columns:
    """Which columns are meant: those given, or the usual ones among those that there are.

    Raises:
        ConfigError: one that is given does not exist.
    """
    there = {name for row in rows for name in row}
    found: dict[str, str | None] = {}
    for role, usual in _USUAL.items():
        named = getattr(given, role)
        if named is not None and named not in there:
            raise ConfigError(
                f"{where}: there is no column {named!r} with values. There are: {few(sorted(there), 12)}."
            )
        found[role] = named or (None if role == "case" else next((name for name in usual if name in there), None))
    if found["case"] is None and "case" in there:
        found["case"] = "case"
    return Columns(**found)


def labels_of(rows: list[Row], columns: Columns, words: Words, where: str) -> list[Label | None]:
    """The labels of rows; all None without a column of labels."""
    if columns.label is None:
        return [None] * len(rows)
    return read_labels([row.get(columns.label, "") for row in rows], words, where)


def said_of(row: Row, columns: Columns, item: Item) -> Item:
    """The item with what its row says of generator and source."""
    generator = row.get(columns.generator) if columns.generator else None
    source = row.get(columns.source) if columns.source else None
    made = generator if item.truth is not Label.REAL and (generator or "").casefold() not in _NOBODY else None
    made, source = (None if text is None else printable(text) for text in (made, source))
    return Item(item.case, item.path, item.truth, made, source, item.size)


def _in_split(row: Row, name: str, split: str | None) -> bool:
    return split is None or row.get("split") == split or split in _folders(name)


def _folders(name: str) -> tuple[str, ...]:
    """The folders of a path below the root."""
    return tuple(name.split("/")[:-1])


def _file(folder: Path, name: str) -> tuple[Path, int] | str:
    """The file that a row names, links followed, with its size in bytes; or why there is none that may be read."""
    if not name:
        return _OUTSIDE
    try:
        path = (folder / name).resolve()
    except (OSError, RuntimeError, ValueError):
        return _OUTSIDE
    if not path.is_relative_to(folder.resolve()):
        return _OUTSIDE
    try:
        found = path.stat()
    except OSError:
        return _MISSING
    # Whoever reads a pipe waits for ever.
    return (path, found.st_size) if stat.S_ISREG(found.st_mode) else _OUTSIDE


def _folder(root: Path, found: Found, spec: DataSpec) -> Listing:
    """The pictures of a folder, with labels from the names of the folders in it."""
    words = words_of(spec)
    placed = [(*entry, _label_above(_folders(entry[0]), words)) for entry in found.files]
    placed = [entry for entry in placed if _in_split({}, entry[0], spec.split)]
    labelled = [entry for entry in placed if entry[3][0] is not None]
    if spec.layout is Layout.UNLABELLED or (spec.layout is Layout.AUTO and not labelled):
        listing = Listing(Layout.UNLABELLED, "a folder of pictures of which nothing is said")
        listing.items = [Item(name, path, size=size) for name, path, size, _ in placed]
    else:
        listing = _by_folder_name(root, spec, labelled)
        if len(labelled) < len(placed):
            stray = [name for name, _, _, (label, _) in placed if label is None]
            listing.warnings.append(f"{len(stray)} pictures lie in no folder named for a label: {few(stray)}.")
    listing.warnings += found.warnings()
    _tell_others(found, listing)
    return listing


_GENIMAGE_MAKER = re.compile(r"adm|biggan|glide|midjourney|stable.?diffusion|^sdv\d|vqdm|wukong", re.IGNORECASE)
"""What the folders of GenImage's generators are called."""
_Placed = tuple[str, Path, int, tuple[Label | None, int]]
"""Path below the root, the file, bytes, and its label with the place of the folder that gives it."""


def _by_folder_name(root: Path, spec: DataSpec, labelled: list[_Placed]) -> Listing:
    names = Counter(name.split("/")[place] for name, _, _, (_, place) in labelled)
    usual = {name.casefold() for name in names} <= {"ai", "nature"} and not spec.generated
    layout = Layout.GENIMAGE if usual and names else Layout.REAL_FAKE
    if spec.layout not in (Layout.AUTO, layout):
        raise ConfigError(f"{root}: no pictures lie as in the layout {spec.layout}; leave `data.layout` out to see.")
    words = words_of(spec)
    tops = {_first(tuple(name.split("/")[:place]), words) for name, _, _, (_, place) in labelled}
    above = layout is Layout.GENIMAGE or len(tops) > 1
    listing = Listing(layout, f"folders named for labels ({few(list(names), 6)})")
    for name, path, size, (label, place) in labelled:
        parts = tuple(name.split("/"))
        maker = _first(parts[place + 1 : -1], words) or (_first(parts[:place], words) if above else None)
        if maker is None and layout is Layout.GENIMAGE:
            here = root.resolve()
            # The folder may itself be one of the parts; any other name above the data says nothing of a generator.
            maker = next((name for name in (here.name, here.parent.name) if _GENIMAGE_MAKER.search(name)), None)
        listing.items.append(Item(name, path, label, maker if label is Label.GENERATED else None, None, size))
    if any(item.generator for item in listing.items):
        listing.notes.append("Generators were read from the names of folders.")
    return listing


def _label_above(folders: tuple[str, ...], words: Words) -> tuple[Label | None, int]:
    """The label that the deepest folder with a telling name gives, and which folder that is."""
    for place in range(len(folders) - 1, -1, -1):
        label = words.label(folders[place])
        if label is not None:
            return label, place
    return None, -1


def _first(folders: tuple[str, ...], words: Words) -> str | None:
    """The first folder that is named for neither a label nor a part of the data."""
    return next((name for name in folders if name.casefold() not in _SPLITS and words.label(name) is None), None)


def _tell_others(found: Found, listing: Listing) -> None:
    if found.others:
        listing.notes.append(f"{found.others} files are no pictures by their names and were passed over.")
