"""Data sets that the package `datasets` reads: folders that it wrote, or names that it can load."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs

from backends.errors import ConfigError, ImageError, InputError, MissingExtraError
from backends.images.kind import identify
from evals.data.folder import few, printable
from evals.data.item import Item
from evals.data.listing import Listing, find_columns, labels_of, list_pictures, said_of
from evals.data.spec import Columns, DataSpec, Layout
from evals.data.table import Row
from evals.data.words import words_of

_MARKS = ("state.json", "dataset_dict.json")
"""What `save_to_disk` leaves in a folder."""
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def list_hub(spec: DataSpec, base: Path, unpacked: Path | None = None) -> Listing:
    """The pictures of a data set under `hf`. Only a name that is no folder here is looked up on the web.

    Those that lie in the data set's own files are unpacked, each once, so that any worker can read them by their path.

    Args:
        spec: what is wanted.
        base: the folder that a path counts from.
        unpacked: where pictures are unpacked to; the user's folder for caches by default.

    Raises:
        MissingExtraError: the package is not installed.
        InputError: there is no such data set, or it cannot be read.
        ConfigError: it has no column of pictures, or several splits and none is named.
    """
    name = spec.hf or ""
    folder = base / Path(name).expanduser()
    if _is_folder(folder) and not any((folder / mark).is_file() for mark in _MARKS):
        # A folder of pictures needs no package, which would look the name of its format up on the web.
        layout = Layout.AUTO if spec.layout is Layout.HF else spec.layout
        return list_pictures(spec.model_copy(update={"path": name, "hf": None, "layout": layout}), base)
    datasets = _package()
    data = _split(_loaded(datasets, name, folder), spec.split, name)
    column = spec.columns.file or next(
        (key for key, feature in data.features.items() if isinstance(feature, datasets.Image)), None
    )
    if column is None or column not in data.features:
        raise ConfigError(f"{name}: no column holds pictures; say which with `data.columns.file`.")
    data = data.cast_column(column, datasets.Image(decode=False))
    listing = Listing(Layout.HF, f"a data set of the package datasets ({printable(name)})")
    if not _is_folder(folder):
        listing.notes.append("It was looked up on the Hugging Face Hub, and downloaded where it was not yet.")
    roots = (folder.resolve(), Path(datasets.config.HF_CACHE_HOME).resolve())
    pictures = _pictures(data, column, roots, unpacked or _unpack_folder())
    _add_items(data, column, spec, listing, pictures)
    return listing


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _package() -> Any:
    try:
        return importlib.import_module("datasets")
    except ImportError as error:
        raise MissingExtraError("data.hf", "datasets") from error


def _unpack_folder() -> Path:
    chosen = os.environ.get("SIXLENS_CACHE_DIR")
    return (Path(chosen) if chosen else platformdirs.user_cache_path("sixlens")) / "pictures"


def _loaded(datasets: Any, name: str, folder: Path) -> Any:
    """The data set, or one for each split."""
    here = _is_folder(folder)
    if not here and not _HUB_NAME.fullmatch(name):
        raise InputError(f"{printable(name)}: there is no such folder, and it is no name on the Hugging Face Hub.")
    try:
        return datasets.load_from_disk(str(folder)) if here else datasets.load_dataset(name)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        reason = printable((str(error).splitlines() or [""])[0])[:200]
        raise InputError(f"{printable(name)}: the package datasets cannot load it ({reason}).") from error


def _split(data: Any, split: str | None, name: str) -> Any:
    if not isinstance(data, dict):
        return data
    if split is None and len(data) == 1:
        return next(iter(data.values()))
    if split is None or split not in data:
        raise ConfigError(f"{name}: name one of its splits as `data.split`: {', '.join(data)}.")
    return data[split]


def _pictures(data: Any, column: str, roots: tuple[Path, ...], unpacked: Path) -> Iterator[Path | None]:
    """The file of each row's picture; None where there is none that may be read."""
    for picture in data.select_columns([column]):
        held = picture[column] or {}
        if held.get("bytes"):
            yield _unpack(held["bytes"], unpacked)
        elif held.get("path"):
            path = Path(held["path"]).resolve()
            # A data set from somebody else can name any file of this machine.
            yield path if path.is_file() and any(path.is_relative_to(root) for root in roots) else None
        else:
            yield None


def _unpack(content: bytes, folder: Path) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    try:
        suffix = identify(content).lower()
    except ImageError:
        suffix = "bin"  # it costs only itself when it is to be judged
    path = folder / digest[:2] / f"{digest}.{suffix}"
    try:
        if not path.is_file() or path.stat().st_size != len(content):
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}.part")
            part.write_bytes(content)
            part.replace(path)
    except OSError as error:
        raise InputError(f"{folder}: pictures cannot be unpacked there ({error.strerror}).") from error
    return path


def _add_items(data: Any, column: str, spec: DataSpec, listing: Listing, pictures: Iterator[Path | None]) -> None:
    rows = _rows(data, column)
    given = spec.columns.model_copy(update={"file": None})
    columns = find_columns(rows, given, spec.hf or "") if rows else Columns()
    labels = labels_of(rows, columns, words_of(spec), spec.hf or "")
    refused = []
    for number, (row, label, path) in enumerate(zip(rows, labels, pictures, strict=True)):
        case = printable(row[columns.case]) if columns.case in row else f"{number:07d}"
        if path is None:
            refused.append(case)
            continue
        listing.items.append(said_of(row, columns, Item(case, path, label, size=path.stat().st_size)))
    if refused:
        listing.warnings.append(f"{len(refused)} rows hold no picture that may be read: {few(refused)}.")


def _rows(data: Any, column: str) -> list[Row]:
    """The rows without their pictures, labels by the names that the data set gives them."""
    features = {
        key: getattr(feature, "names", None)
        for key, feature in data.features.items()
        if key != column and getattr(feature, "dtype", "") not in ("", "binary", "dict", "list")
    }
    rows = []
    for given in data.select_columns(list(features)) if features else ({} for _ in range(len(data))):
        row = {}
        for key, value in given.items():
            names = features[key]
            if names and isinstance(value, int):
                value = names[value] if 0 <= value < len(names) else None  # -1 is how a missing label is written
            if value is not None and value != "":
                row[key] = str(value)
        rows.append(row)
    return rows
