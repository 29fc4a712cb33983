from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from backends.errors import ConfigError
from sixlens.server import judgment_rows as rows
from sixlens.server import review_rows
from sixlens.server.errors import DamagedError, StorageError, storage
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


@pytest.mark.parametrize("lacks", [True, False])
async def test_a_database_of_the_first_version_gets_the_table_of_labels(tmp_path: Path, lacks: bool) -> None:
    async with Store(tmp_path) as store:
        await store.run(rows.insert, rows.NewJudgment("a", 1.0, "measured", "0", "a.png"))
    connection = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    if lacks:
        connection.execute("DROP TABLE labels")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    for _ in range(2):
        async with Store(tmp_path) as store:
            assert await store.run(review_rows.labels, 0, 10) == []
            assert await store.run(rows.read, "a") is not None
            (version,) = await store.run(lambda connection: connection.execute("PRAGMA user_version").fetchone())
            assert version == VERSION
    async with Store(tmp_path) as store:
        await store.run(rows.delete, "a")
        assert await store.run(rows.read, "a") is None


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


async def test_a_transaction_that_cannot_end_stands_in_nobodys_way(tmp_path: Path) -> None:
    def unfinished(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        connection.execute(
            "INSERT INTO appeals (judgment, new, reason, created_at) VALUES ('none', 'none', 'refused at the end', 0)"
        )

    async with Store(tmp_path) as store:
        with pytest.raises(sqlite3.IntegrityError):
            await store.run(unfinished)
        assert await store.run(lambda connection: connection.execute("SELECT count(*) FROM appeals").fetchone()[0]) == 0


async def test_a_database_that_is_a_folder_or_held_elsewhere_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixlens.server.store_schema.BUSY_SECONDS", 0.05)
    (tmp_path / "a" / DATABASE).mkdir(parents=True)
    (tmp_path / "b").mkdir()
    other = sqlite3.connect(tmp_path / "b" / DATABASE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for folder in ("a", "b"):
        with pytest.raises(ConfigError, match="cannot be used as database") as caught:
            async with Store(tmp_path / folder):
                pass
        assert "\n" not in str(caught.value)
    other.close()


async def test_what_is_no_trouble_of_the_disk_is_a_mistake_in_the_program(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        for mistake in ("SELECT * FROM nowhere", "SELEKT 1", "SELECT nothing FROM judgments"):
            with pytest.raises(sqlite3.OperationalError):
                await store.run(sqlite3.Connection.execute, mistake)


async def test_a_full_disk_and_one_that_is_read_only_may_pass(tmp_path: Path) -> None:
    def large(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE large AS SELECT zeroblob(10000000) AS content")

    async with Store(tmp_path) as store:
        for limit in ("max_page_count = 1", "query_only = ON"):
            await store.run(sqlite3.Connection.execute, f"PRAGMA {limit}")
            with pytest.raises(StorageError, match=r"cannot be used now \((database or disk is full|.*readonly.*)\)"):
                await store.run(large)


async def test_a_damaged_database_is_called_so(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        await store.run(rows.insert, rows.NewJudgment("a", 1.0, "measured", "0", "a.png"))
    path = tmp_path / DATABASE
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    async with Store(tmp_path) as store:
        with pytest.raises(DamagedError, match=r"is damaged \(.*malformed\)") as caught:
            await store.run(rows.read, "a")
        assert "full" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_IOERR_FSYNC, StorageError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StorageError),
        (sqlite3.SQLITE_LOCKED, StorageError),
        (sqlite3.SQLITE_CANTOPEN, StorageError),
        (sqlite3.SQLITE_CORRUPT_INDEX, DamagedError),
        (sqlite3.SQLITE_NOTADB, DamagedError),
        (sqlite3.SQLITE_SCHEMA, sqlite3.DatabaseError),
        (None, sqlite3.DatabaseError),
    ],
)
def test_the_code_tells_what_it_is(code: int | None, kind: type[Exception]) -> None:
    error = sqlite3.DatabaseError("some words")
    if code is not None:
        error.sqlite_errorcode = code
    with pytest.raises(kind), storage():
        raise error
