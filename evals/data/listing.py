"""What a folder or a table holds: its layout is found out, and every picture gets what is said of it."""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from backends.errors import ConfigError, InputError
from evals.data.folder import Found, few, printable, walk
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
_BESIDE = ("metadata", "manifest")
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
            return _tables([path], spec, Layout.MANIFEST)
        if not path.is_dir():
            raise InputError(f"{printable(str(path))}: there is no such folder or table; check --data, or `data.path`.")
        tables = [] if spec.layout in (Layout.REAL_FAKE, Layout.GENIMAGE, Layout.UNLABELLED) else _tables_in(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{printable(str(path))}: cannot be read.") from error
    if tables:
        return _tables(tables, spec, Layout.IMAGEFOLDER if tables[0].stem == "metadata" else Layout.MANIFEST)
    if spec.layout in (Layout.IMAGEFOLDER, Layout.MANIFEST):
        raise ConfigError(f"{path}: there is no table (metadata or manifest, with {', '.join(READERS)}).")
    return _folder(path, spec)


def _tables_in(folder: Path) -> list[Path]:
    """The table of a folder, or those of its parts: `metadata` first, one for each folder."""
    for place in ([folder], sorted(child for child in folder.iterdir() if child.is_dir() and not child.is_symlink())):
        found = [_table_in(one) for one in place]
        if any(found):
            return [table for table in found if table is not None]
    return []


def _table_in(folder: Path) -> Path | None:
    for stem in _BESIDE:
        named = [folder / f"{stem}{suffix}" for suffix in READERS if (folder / f"{stem}{suffix}").is_file()]
        if len(named) > 1:
            raise ConfigError(f"{folder}: there are {len(named)} tables named {stem}; name one as `data.path`.")
        if named:
            return named[0]
    return None


def _tables(tables: list[Path], spec: DataSpec, layout: Layout) -> Listing:
    if spec.layout not in (Layout.AUTO, layout, Layout.MANIFEST):
        raise ConfigError(f"{tables[0]}: this is a table, so its layout is {layout}, not {spec.layout}.")
    kind = "pictures with metadata beside them" if layout is Layout.IMAGEFOLDER else "a table that names pictures"
    listing = Listing(layout, f"{kind} ({', '.join(table.name for table in tables[:3])})")
    root = tables[0].parent if len(tables) == 1 else tables[0].parent.parent
    for table in tables:
        _read_rows(table, root, spec, listing)
    return listing


def _read_rows(table: Path, root: Path, spec: DataSpec, listing: Listing) -> None:
    """Add the pictures that a table names. A row that cannot be used costs only itself."""
    rows = read_table(table)
    if not rows:
        raise ConfigError(f"{table}: the table has no rows.")
    columns = find_columns(rows, spec.columns, str(table))
    if columns.file is None:
        raise ConfigError(
            f"{table}: no column names the pictures; say which with `data.columns.file`. There are: "
            f"{few(sorted({name for row in rows for name in row}), 12)}."
        )
    rows = [row for row in rows if _in_split(row, row.get(columns.file, ""), spec.split)]
    labels = labels_of(rows, columns, words_of(spec), str(table))
    inside, bounds = table.parent, table.parent.resolve()
    missing: list[str] = []
    outside: list[str] = []
    for row, label in zip(rows, labels, strict=True):
        name = row.get(columns.file, "")
        path = _inside(inside, bounds, name) if name else None
        if path is None:
            outside.append(name or "a row without a name")
            continue
        try:
            found = path.stat()
        except OSError:
            missing.append(name)
            continue
        if not stat.S_ISREG(found.st_mode):
            outside.append(name)  # whoever reads a pipe waits for ever
            continue
        below = os.path.relpath(path, root) if columns.case is None else row.get(columns.case, name)
        truth = label if columns.label is not None else _label_above(Path(name).parts[:-1], words_of(spec))[0]
        item = said_of(row, columns, Item(printable(below.replace(os.sep, "/")), path, truth, size=found.st_size))
        listing.items.append(item)
    if outside:
        listing.warnings.append(
            f"{table.name}: {len(outside)} rows name no file inside its folder and were refused: {few(outside)}."
        )
    if missing:
        listing.warnings.append(f"{table.name}: {len(missing)} rows name pictures that are not there: {few(missing)}.")
    if columns.label is None:
        listing.notes.append(f"{table.name} has no column of labels; the names of folders were read for them.")


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
    return split is None or row.get("split") == split or split in name.split("/")[:-1]


def _inside(folder: Path, bounds: Path, name: str) -> Path | None:
    """The file of that name, links followed, if it lies inside the folder."""
    try:
        path = (folder / name).resolve()
    except (OSError, RuntimeError, ValueError):
        return None
    return path if path.is_relative_to(bounds) and path != bounds else None


def _folder(root: Path, spec: DataSpec) -> Listing:
    """The pictures of a folder, with labels from the names of the folders in it."""
    found = walk(root)
    words = words_of(spec)
    placed = [(*entry, _label_above(tuple(entry[0].split("/")[:-1]), words)) for entry in found.files]
    placed = [entry for entry in placed if spec.split is None or spec.split in entry[0].split("/")[:-1]]
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
            maker = root.resolve().name
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
