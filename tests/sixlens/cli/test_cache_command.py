from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "answers.sqlite"


def test_the_path_is_said_whether_it_exists_or_not(file: Path, cli: Any) -> None:
    assert cli("cache", "path").out == f"{file}\n"
    assert not file.exists()


def test_nothing_is_made_by_looking(file: Path, cli: Any) -> None:
    assert json.loads(cli("cache", "stats", "--json").out) == {"path": str(file), "entries": 0, "bytes": 0}
    assert cli("cache", "clear").out == "0 answers dropped.\n"
    assert not file.parent.exists()


def test_answers_are_counted_and_dropped(photo: Path, script: str, file: Path, cli: Any) -> None:
    assert cli("judge", "photo.jpg", "-b", script).code == 0
    stats = json.loads(cli("cache", "stats", "--json").out)
    assert stats["entries"] == 10
    assert stats["bytes"] > 1000
    assert cli("cache", "stats").out == f"10 answers, 0.0 MB, in {file}\n"
    assert cli("cache", "clear").out == "10 answers dropped.\n"
    assert json.loads(cli("cache", "stats", "--json").out)["entries"] == 0


def test_a_file_that_is_no_cache_is_replaced(file: Path, cli: Any) -> None:
    file.parent.mkdir()
    file.write_bytes(b"not a database" * 100)
    ran = cli("cache", "clear")
    assert ran.code == 0
    assert json.loads(cli("cache", "stats", "--json").out)["entries"] == 0


def test_a_folder_in_its_place_is_said(file: Path, cli: Any) -> None:
    file.mkdir(parents=True)
    ran = cli("cache", "clear")
    assert ran.code == 4
    assert "cannot be emptied" in ran.err
    assert "Traceback" not in ran.err
