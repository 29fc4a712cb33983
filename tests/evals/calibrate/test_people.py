from __future__ import annotations

from pathlib import Path

import pytest

from backends.errors import InputError
from evals.calibrate.people import read_labels
from paradigms.label import Label


def write(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, "utf-8")
    return path


def test_labels_are_read_by_digest_or_case(tmp_path: Path) -> None:
    path = write(
        tmp_path, "sha256,label,by\nab,generated,ann\ncd,REAL,bo\nef,cannot_tell,ann\ngh,,bo\nab,generated,bo\n"
    )
    assert read_labels(path) == {"ab": Label.GENERATED, "cd": Label.REAL}
    assert read_labels(write(tmp_path, "\ufeffcase,label\nx.png,real\n")) == {"x.png": Label.REAL}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,label\na,real\n", "needs a first line"),
        ("", "needs a first line"),
        ("case,label\na,maybe\n", "line 2: the label is"),
        ("case,label\n,real\n", "line 2: the label is"),
        ("case,label\na,real\na,generated\n", "line 3: a has two labels"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_labels(write(tmp_path, text))


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_labels(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"case,label\n\xff\xfe,real\n")
    with pytest.raises(InputError, match="no CSV file in UTF-8"):
        read_labels(tmp_path / "binary.csv")
