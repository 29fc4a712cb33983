"""Exemplars for few-shot questions: pictures or descriptions with their label and a written reason."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from backends.errors import ConfigError
from backends.images.likeness import alike
from backends.text_file import read_text
from backends.yaml_file import build, parse_yaml
from paradigms.label import Label

_MAX_EXEMPLARS = 1000
_MAX_BYTES = 1_000_000
"""Of a manifest or of a reason."""
_MAX_TEXT = 2000
"""Characters of a reason or a description: they go into a prompt."""
_LABELS: Mapping[str, Label] = MappingProxyType(
    dict.fromkeys(("generated", "ai", "fake", "1_fake"), Label.GENERATED)
    | dict.fromkeys(("real", "photo", "nature", "0_real"), Label.REAL)
)
_ORDER = (Label.GENERATED, Label.REAL)
_PICTURES = frozenset((".avif", ".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A known case, shown to a model before it judges another.

    `label` is `generated` or `real`. `reason` says why, and may be empty. `description` says what the picture shows, in
    place of it or beside it. `picture` is the file, not decoded yet, and `sha256` the hex digest of its bytes; both are
    None for exemplars of text. `likeness` tells copies of the picture that were re-encoded or resized, if it is known.
    """

    label: Label
    reason: str = ""
    description: str = ""
    picture: Path | None = None
    sha256: str | None = None
    likeness: int | None = None


class ExemplarRow(BaseModel):
    """One entry of a manifest, as it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Label
    picture: str = Field(default="", max_length=500)
    reason: str = Field(default="", max_length=_MAX_TEXT)
    description: str = Field(default="", max_length=_MAX_TEXT)

    @field_validator("label", mode="before")
    @classmethod
    def _known(cls, value: object) -> Label:
        label = _LABELS.get(value.strip().lower()) if isinstance(value, str) else None
        if label is None:
            raise ValueError("a label is 'generated' or 'real'")
        return label


def load_exemplars(path: Path) -> tuple[Exemplar, ...]:
    """Read exemplars from a folder or a manifest.

    A folder has a `manifest.csv` (or `.jsonl`, `.json`, `.yaml`), or the subfolders `generated` and `real` with
    pictures, each with its reason in a text file of the same name, if there is one. A manifest has the columns `label`,
    `picture` (relative to the manifest, inside its folder) or `description`, and `reason`.

    Returns:
        The exemplars in the order of the manifest, or of the file names, generated ones first.

    Raises:
        ConfigError: nothing is there, something cannot be read, or a picture lies outside the folder.

    """
    try:
        exemplars = tuple(itertools.islice(_found(path), _MAX_EXEMPLARS + 1))
    except OSError as error:
        raise ConfigError(f"{error.filename or path}: {error.strerror or 'cannot be read'}.") from error
    if not exemplars:
        raise ConfigError(f"{path}: no exemplars; put pictures into its folders 'generated' and 'real', or a manifest.")
    if len(exemplars) > _MAX_EXEMPLARS:
        raise ConfigError(f"{path}: more than {_MAX_EXEMPLARS} exemplars; a question shows a few, so keep the best.")
    return exemplars


def choose_exemplars(
    exemplars: Sequence[Exemplar], judged_sha256: str, count: int = 2, *, judged_likeness: int | None = None
) -> tuple[Exemplar, ...]:
    """Choose what is shown before a judged image: generated first, then real, in turns.

    The first ones of each label are taken, whatever the judged image is, except that the judged file itself never is,
    nor a copy of it that was re-encoded or resized, as far as both likenesses tell. A cropped copy is not recognised.

    Args:
        exemplars: what there is, in order.
        judged_sha256: hex digest of the judged file.
        judged_likeness: the judged picture's `likeness`, if it is known.
        count: how many are wanted, at least 2.

    Raises:
        ConfigError: there are too few of one label, or `count` is below 2.

    """
    if count < 2:
        raise ConfigError(f"The number of exemplars must be at least 2, one of each label, not {count}.")
    chosen: list[Exemplar] = []
    others = [
        exemplar
        for exemplar in exemplars
        if exemplar.sha256 != judged_sha256.lower() and not alike(exemplar.likeness, judged_likeness)
    ]
    for position in range(count):
        label = _ORDER[position % 2]
        same = [exemplar for exemplar in others if exemplar.label is label]
        if position // 2 >= len(same):
            need = f"{count} exemplars need {position // 2 + 1} labelled {label.value!r} besides the judged picture"
            raise ConfigError(f"{need}; there are {len(same)}.")
        chosen.append(same[position // 2])
    return tuple(chosen)


def _found(path: Path) -> Iterator[Exemplar]:
    """Whatever stands at the path, read one by one."""
    if not path.is_dir():
        if path.suffix.lower() not in _READERS:
            kinds = ", ".join(_READERS)
            raise ConfigError(f"{path}: not a folder, nor a manifest ({kinds}); exemplars come from one of these.")
        return _from_manifest(path)
    manifests = [entry for entry in _entries(path) if entry.stem == "manifest" and entry.suffix in _READERS]
    if len(manifests) > 1:
        raise ConfigError(f"{path}: there are {len(manifests)} manifests; keep one of them.")
    return _from_manifest(manifests[0]) if manifests else _from_folders(path)


def _from_folders(folder: Path) -> Iterator[Exemplar]:
    """The pictures of the labelled subfolders."""
    groups = [entry for entry in _entries(folder) if entry.is_dir() and entry.name.lower() in _LABELS]
    for group in sorted(groups, key=lambda entry: _ORDER.index(_LABELS[entry.name.lower()])):
        for file in _entries(group):
            if file.suffix.lower() not in _PICTURES:
                continue
            note = file.with_suffix(".txt")
            reason = _text(note).strip() if note.is_file() else ""
            if len(reason) > _MAX_TEXT:
                raise ConfigError(f"{note}: longer than {_MAX_TEXT} characters; shorten the reason.")
            picture = _inside(folder, f"{group.name}/{file.name}", str(group))
            yield Exemplar(_LABELS[group.name.lower()], reason, picture=picture, sha256=_digest(picture))


def _entries(folder: Path) -> list[Path]:
    """What a folder holds, by name, without hidden files."""
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _from_manifest(path: Path) -> Iterator[Exemplar]:
    """The exemplars of a manifest, in its order."""
    entries = _READERS[path.suffix.lower()](_text(path), str(path))
    if not isinstance(entries, list):
        raise ConfigError(f"{path}: a manifest is a list of exemplars, each with label, picture and reason.")
    for number, entry in enumerate(entries, start=1):
        where = f"{path}, exemplar {number}"
        row = build(ExemplarRow, entry, where)
        if not (row.picture or row.description):
            raise ConfigError(f"{where}: give a picture, or a description of one.")
        picture = _inside(path.parent, row.picture, where) if row.picture else None
        digest = _digest(picture) if picture else None
        yield Exemplar(row.label, row.reason.strip(), row.description.strip(), picture, digest)


def _inside(folder: Path, name: str, where: str) -> Path:
    """The picture of that name, which has to be a file inside the folder, links followed."""
    # Windows' reading of a path knows both kinds of slashes, drives and shares.
    pure = PureWindowsPath(name)
    if pure.anchor or ".." in pure.parts:
        raise ConfigError(f"{where}: {name!r} must be relative to {str(folder)!r} and stay inside it.")
    try:
        path = (folder / name).resolve()
    except (RuntimeError, ValueError) as error:
        # A circle of links, or a character that no file name has.
        raise ConfigError(f"{where}: {name!r} cannot be used as a file name.") from error
    if not path.is_relative_to(folder.resolve()):
        raise ConfigError(f"{where}: {name!r} is a link that leads out of {str(folder)!r}; copy the picture there.")
    if not path.is_file():
        raise ConfigError(f"{where}: there is no picture {name!r} in {str(folder)!r}.")
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _text(path: Path) -> str:
    return read_text(
        path, _MAX_BYTES, f"larger than {_MAX_BYTES} bytes; exemplars are few and short.", encoding="utf-8-sig"
    )


def _parse_csv(text: str, name: str) -> Any:
    """Rows by column. Empty fields count as not given."""
    rows: list[dict[str, str]] = []
    try:
        for row in csv.DictReader(io.StringIO(text, newline=""), strict=True):
            if None in row:
                raise ConfigError(f"{name}: exemplar {len(rows) + 1} has more fields than the header has columns.")
            rows.append({column.strip(): value for column, value in row.items() if value})
    except csv.Error as error:
        raise ConfigError(f"{name}: not valid CSV: {error}.") from error
    return rows


def _parse_json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name}: not valid JSON: {error}.") from error


def _parse_jsonl(text: str, name: str) -> Any:
    lines = enumerate(text.split("\n"), start=1)
    return [_parse_json(line, f"{name}, line {number}") for number, line in lines if line.strip()]


_READERS: Mapping[str, Callable[[str, str], Any]] = MappingProxyType(
    {".csv": _parse_csv, ".jsonl": _parse_jsonl, ".json": _parse_json, ".yaml": parse_yaml, ".yml": parse_yaml}
)
