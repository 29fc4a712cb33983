"""Scores out of a CSV file."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from backends.errors import ConfigError
from backends.text_file import read_text
from paradigms.scores.scorer import MAX_SCORE, Scored

MAX_BYTES = 100_000_000
MAX_ROWS = 1_000_000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COLUMNS = ("case", "sha256", "score")


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Scores by the digest of the picture's bytes, by the name of its case, and by its path or the end of it."""

    by_digest: Mapping[str, float]
    by_name: Mapping[str, float]

    async def score(self, picture: Scored) -> float | None:
        """The score of the picture with these bytes, else of the name that the file has for it.

        A picture without a name is only known by its bytes: a changed copy must not get the score of the original.
        """
        if picture.sha256 in self.by_digest:
            return self.by_digest[picture.sha256]
        name = self.name_of(picture.case, picture.path)
        return None if name is None else self.by_name[name]

    def name_of(self, case: str | None, path: str | None) -> str | None:
        """The name in the file under which a picture is meant: its case's, else the longest end of its path."""
        names = itertools.chain(() if case is None else (_normal(case),), () if path is None else _ends(path))
        return next((name for name in names if name in self.by_name), None)


def read_score_table(path: Path) -> ScoreTable:
    """Read a CSV file with the columns `score` and `case` or `sha256` (or both).

    `case` is the name of a case in a data set, a file's path, or the end of it (`generated/0001.png`, `0001.png`). A
    score is a number, higher for generated.

    Raises:
        ConfigError: the file cannot be read or is too large, a column is missing, a score is no number, or a picture
            stands there twice; one line that names the line.
    """
    by_digest: dict[str, float] = {}
    by_name: dict[str, float] = {}
    for line, row in _rows(path):
        value = _number(row.get("score") or "", f"{path}, line {line}")
        digest, name = (row.get("sha256") or "").strip().lower(), (row.get("case") or "").strip()
        if not digest and not name:
            raise ConfigError(f"{path}, line {line}: neither `case` nor `sha256` is given.")
        if digest and not _SHA256.fullmatch(digest):
            raise ConfigError(f"{path}, line {line}: `sha256` is not a digest of 64 hexadecimal digits.")
        # A row with both is known by its bytes alone, so that another file of the same name gets nothing.
        key, known = (digest, by_digest) if digest else (_normal(name), by_name)
        if key in known:
            raise ConfigError(f"{path}, line {line}: {key[:80]!r} has a score already.")
        known[key] = value
    return ScoreTable(by_digest, by_name)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows below the header, with their line numbers."""
    text = read_text(path, MAX_BYTES, f"larger than {MAX_BYTES:,} bytes.", encoding="utf-8-sig")
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = reader.fieldnames or ()
        if "score" not in columns or not {"case", "sha256"} & set(columns):
            raise ConfigError(f"{path}: the columns `score` and `case` (or `sha256`) are wanted, in a first line.")
        for number, row in enumerate(reader, start=1):
            if number > MAX_ROWS:
                raise ConfigError(f"{path}: more than {MAX_ROWS:,} rows.")
            yield reader.line_num, {name: row[name] or "" for name in _COLUMNS if name in row}
    except csv.Error as error:
        raise ConfigError(f"{path}, line {reader.line_num}: not valid CSV: {error}.") from error


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise ConfigError(f"{where}: `score` is a number; got {text[:40]!r}.") from error
    # A comparison with NaN is false.
    if not abs(value) <= MAX_SCORE:
        raise ConfigError(f"{where}: `score` is a finite number of at most {MAX_SCORE:g} in size; got {text[:40]!r}.")
    return value


def _normal(name: str) -> str:
    """A name with forward slashes, none of them at its beginning."""
    return str(PurePosixPath(name.replace("\\", "/"))).lstrip("/")


def _ends(path: str) -> Iterator[str]:
    """The path and its ends, the longest first."""
    parts = PurePosixPath(_normal(str(Path(path).absolute()))).parts
    yield from ("/".join(parts[start:]) for start in range(len(parts)))
