from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from backends.errors import ConfigError
from paradigms.scores import table
from paradigms.scores.scorer import Scored
from paradigms.scores.table import read_score_table

DATA = b"the bytes of a picture"
DIGEST = hashlib.sha256(DATA).hexdigest()


def write(folder: Path, text: str) -> Path:
    path = folder / "scores.csv"
    path.write_text(text, "utf-8")
    return path


def scored(path: str | None = None) -> Scored:
    return Scored(DATA, DIGEST, path)


async def test_bytes_count_above_names(tmp_path: Path) -> None:
    found = read_score_table(write(tmp_path, f"case,sha256,score\na.png,{DIGEST.upper()},0.9\na.png,,0.1\n"))
    assert await found.score(scored("a.png")) == 0.9
    assert await found.score(Scored(b"", "0" * 64, "/x/a.png")) == 0.1


async def test_the_longest_end_of_a_path_counts(tmp_path: Path) -> None:
    found = read_score_table(write(tmp_path, "case,score\ngenerated/1.png,2.5\n1.png,-1e3\nreal\\2.png,0\n"))
    assert await found.score(scored("/data/generated/1.png")) == 2.5
    assert await found.score(scored("data/other/1.png")) == -1000
    assert await found.score(scored("real/2.png")) == 0
    assert await found.score(scored("fake/2.png")) is None
    assert await found.score(scored("/data/11.png")) is None


async def test_the_name_of_its_case_counts_above_the_ends_of_its_path(tmp_path: Path) -> None:
    found = read_score_table(write(tmp_path, "case,score\n0.png,1\nreal/0.png,2\nthe-case,3\n"))
    assert await found.score(Scored(DATA, DIGEST, "/data/real/0.png", "the-case")) == 3
    assert await found.score(Scored(DATA, DIGEST, "/cache/ab12.png", "real/0.png")) == 2
    assert await found.score(Scored(DATA, DIGEST, "/data/real/0.png", "another")) == 2
    assert await found.score(Scored(DATA, DIGEST, None, "the-case")) == 3


async def test_a_picture_that_is_no_file_is_known_by_its_bytes_alone(tmp_path: Path) -> None:
    found = read_score_table(write(tmp_path, "case,score\na.png,1\n"))
    assert await found.score(scored(None)) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("case,value\na,1\n", "the columns `score` and `case`"),
        ("score\n1\n", "the columns `score` and `case`"),
        ("", "the columns"),
        ("case,score\na,much\n", "line 2: `score` is a number"),
        ("case,score\na,inf\n", "line 2: `score` is a finite number"),
        ("case,score\na,\n", "line 2: `score` is a number"),
        ("case,score\na,1\na,1\n", "line 3: 'a' has a score already"),
        ("case,sha256,score\na,abc,1\n", "line 2: `sha256` is not a digest"),
        ("case,score\n,1\n", "line 2: neither `case` nor `sha256`"),
        ('case,score\n"a"b,1\n', "not valid CSV"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_score_table(write(tmp_path, text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_score_table(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_score_table(tmp_path / "b.csv")
    path = write(tmp_path, "case,score\na,1\nb,2\n")
    monkeypatch.setattr(table, "MAX_ROWS", 1)
    with pytest.raises(ConfigError, match="more than 1 rows"):
        read_score_table(path)
    monkeypatch.setattr(table, "MAX_BYTES", 5)
    with pytest.raises(ConfigError, match="larger than 5 bytes"):
        read_score_table(path)
