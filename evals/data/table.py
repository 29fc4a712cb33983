"""Tables that name pictures: CSV, TSV, JSON, JSON lines and Parquet, as rows of words."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from backends.errors import ConfigError, InputError, MissingExtraError

MOST_ROWS = 2_000_000
MOST_BYTES = 2_000_000_000
Row = dict[str, str]
"""Values by column, as they are written. Empty ones are left out."""


def read_table(path: Path) -> list[Row]:
    """The rows of a table.

    Raises:
        ConfigError: it is none, or is damaged, or has too many rows.
        MissingExtraError: it is Parquet, and what reads that is not installed.
        InputError: the file cannot be read.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"{path}: not a table that can be read; give one of {', '.join(READERS)}.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigError(f"{path}: larger than {MOST_BYTES:,} bytes; give a part of it.")
        rows = []
        for number, row in enumerate(reader(path), start=1):
            if number > MOST_ROWS:
                raise ConfigError(f"{path}: more than {MOST_ROWS:,} rows; give a part of it.")
            rows.append(_in_words(row, f"{path}, row {number}"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or 'cannot be read'}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text.") from error
    return rows


def _in_words(row: Any, where: str) -> Row:
    if not isinstance(row, Mapping):
        raise ConfigError(f"{where}: a row is a mapping of columns to values.")
    told = {}
    for column, value in row.items():
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # how a column of whole numbers with gaps arrives
        if value is not None and not isinstance(value, Mapping | list) and str(value).strip() not in ("", "nan"):
            told[str(column).strip()] = str(value).strip()
    return told


def _csv(path: Path, delimiter: str = ",") -> Iterator[Any]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter=delimiter, strict=True)
        try:
            for number, row in enumerate(reader, start=1):
                if None in row:
                    raise ConfigError(f"{path}, row {number}: more fields than the header has columns.")
                yield row
        except csv.Error as error:
            raise ConfigError(f"{path}: not valid CSV: {error}.") from error


def _tsv(path: Path) -> Iterator[Any]:
    return _csv(path, "\t")


def _jsonl(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _parsed(line, f"{path}, line {number}")


def _json(path: Path) -> Iterator[Any]:
    rows = _parsed(path.read_text("utf-8-sig"), str(path))
    if not isinstance(rows, list):
        raise ConfigError(f"{path}: a table in JSON is a list of rows.")
    yield from rows


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: not valid JSON.") from error


def _parquet(path: Path) -> Iterator[Any]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
        arrow = importlib.import_module("pyarrow")
    except ImportError as error:
        raise MissingExtraError("A table in Parquet", "datasets") from error
    try:
        with parquet.ParquetFile(path) as file:
            # Pictures may lie in the table itself; words are all that is wanted of it here.
            kept = [field.name for field in file.schema_arrow if not arrow.types.is_nested(field.type)]
            for batch in file.iter_batches(batch_size=4096, columns=kept):
                yield from batch.to_pylist()
    except arrow.ArrowException as error:
        raise ConfigError(f"{path}: not valid Parquet.") from error


READERS: Mapping[str, Callable[[Path], Iterable[Any]]] = MappingProxyType(
    {".csv": _csv, ".tsv": _tsv, ".jsonl": _jsonl, ".ndjson": _jsonl, ".json": _json, ".parquet": _parquet}
)
"""By the file's ending."""
