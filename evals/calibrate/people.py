"""What people decided, as labels: a CSV file with the columns `sha256` or `case`, and `label`."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from backends.errors import InputError
from evals.judgment import Judgment
from evals.vote_table import VoteTable
from fusion.calibration import PeopleLabels
from paradigms.label import Label

MAX_BYTES = 100_000_000
_LABELS = {"generated": Label.GENERATED, "real": Label.REAL}
_OPEN = ("cannot_tell", "cannot tell", "")


def read_labels(path: Path) -> dict[str, Label]:
    """Labels by SHA-256 or case; rows in which a person could not tell are passed over.

    Raises:
        InputError: the file cannot be read, lacks a column, or a line has another label or contradicts one before it.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: larger than {MAX_BYTES:,} bytes; this is no file of labels.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            key = next((name for name in ("sha256", "case") if name in (rows.fieldnames or ())), None)
            if key is None or "label" not in (rows.fieldnames or ()):
                raise InputError(f"{path}: needs a first line with the columns sha256 (or case) and label.")
            return _read(path, rows, key)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: this is no CSV file in UTF-8.") from error


def changes(table: VoteTable, judgments: Iterable[Judgment]) -> PeopleLabels:
    """In how many cases of a table, made with people's labels, the judgments themselves have another label or none."""
    data = {it.case: it.truth for it in judgments}
    people = {
        case: Label.GENERATED if it else Label.REAL for case, it in zip(table.cases, table.generated, strict=True)
    }
    others = [data[case] for case, label in people.items() if data[case] is not label]
    added = sum(truth is None for truth in others)
    return PeopleLabels(changed=len(others) - added, added=added)


def _read(path: Path, rows: csv.DictReader[str], key: str) -> dict[str, Label]:
    labels: dict[str, Label] = {}
    for row in rows:
        said, name = (row["label"] or "").strip().lower(), (row[key] or "").strip()
        name = name.lower() if key == "sha256" else name
        if said in _OPEN:
            continue
        if said not in _LABELS or not name:
            raise InputError(f"{path}, line {rows.line_num}: the label is generated, real or cannot_tell.")
        if labels.setdefault(name, _LABELS[said]) is not _LABELS[said]:
            raise InputError(f"{path}, line {rows.line_num}: {name[:80]} has two labels.")
    return labels
