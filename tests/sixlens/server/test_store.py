from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from backends.errors import ConfigError
from sixlens.server.store import DATABASE, Store
from sixlens.server.store_schema import VERSION


async def test_a_newer_database_is_refused_in_one_line(tmp_path: Path) -> None:
    async with Store(tmp_path):
        pass
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(ConfigError, match="newer sixlens") as caught:
        async with Store(tmp_path):
            pass
    assert "\n" not in str(caught.value)


async def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"something else, and long enough to be looked at" * 40)
    with pytest.raises(ConfigError, match="no database of sixlens"):
        async with Store(tmp_path):
            pass


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ConfigError, match="data folder"):
        async with Store(tmp_path / "file"):
            pass


async def test_work_counts_whole_or_not_at_all(tmp_path: Path) -> None:
    def half(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM judgments")
        connection.execute("PRAGMA user_version = 77")
        raise ValueError("halfway")

    async with Store(tmp_path / "deep" / "data") as store:
        with pytest.raises(ValueError, match="halfway"):
            await store.run(half)
        version = await store.run(lambda connection: connection.execute("PRAGMA user_version").fetchone()[0])
        assert version == VERSION
        mode = (tmp_path / "deep" / "data").stat().st_mode & 0o777
        assert mode == 0o700
        assert (store.folder / DATABASE).stat().st_mode & 0o777 == 0o600
