import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tenacity import stop_after_attempt

from backends.completion import Completion, RateState, Stop, TokenUsage
from backends.layers.answer_file import AnswerFile
from backends.layers.cache_store import CacheStats, CacheStore

ANSWER = Completion(
    text="Verdict: real",
    stop=Stop.COMPLETE,
    model="m",
    backend="openai:m",
    usage=TokenUsage(input_tokens=5, output_tokens=3),
    cost=0.25,
    seconds=1.5,
    notes=("a note",),
)


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "answers.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[CacheStore]:
    with closing(CacheStore(path)) as opened:
        yield opened


def filled(store: CacheStore, count: int) -> CacheStore:
    for number in range(count):
        store.put(f"{number:064d}", ANSWER)
    return store


def test_an_answer_comes_back_without_its_rate_headers(store: CacheStore, path: Path) -> None:
    store.put("k", ANSWER.model_copy(update={"rate": RateState(remaining_requests=99)}))
    assert store.get("k") == ANSWER
    assert store.get("other") is None
    with closing(CacheStore(path)) as again:
        assert again.get("k") == ANSWER


def test_an_answer_put_soon_is_found_at_once_and_is_in_the_file_after_closing(store: CacheStore, path: Path) -> None:
    store.put_soon("k", ANSWER)
    assert store.get("k") == ANSWER
    store.close()
    with closing(CacheStore(path)) as again:
        assert again.get("k") == ANSWER


def test_the_file_is_for_its_owner_alone(store: CacheStore, path: Path) -> None:
    store.put("k", ANSWER)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    kept = list(path.parent.iterdir())
    assert path in kept
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept} == {0o600}


def test_a_file_open_to_others_is_closed_to_them_and_a_folder_of_the_user_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path = tmp_path / "answers.sqlite"
    path.touch(mode=0o644)
    CacheStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_stats_and_clear(store: CacheStore, path: Path) -> None:
    assert store.stats() == CacheStats(path, 0, 0)
    filled(store, 3)
    stats = store.stats()
    assert stats.entries == 3
    assert stats.bytes > 3 * len(ANSWER.text)
    assert store.clear()
    assert store.stats() == CacheStats(path, 0, 0)
    assert store.get(f"{0:064d}") is None
    assert b"Verdict" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_a_store_without_a_path_keeps_nothing() -> None:
    with closing(CacheStore(None)) as store:
        store.put("k", ANSWER)
        assert store.get("k") is None
        assert store.stats() == CacheStats(None, 0, 0)
        assert store.clear()


def test_a_closed_store_holds_nothing_and_closes_again(store: CacheStore) -> None:
    store.put("k", ANSWER)
    store.close()
    store.close()
    store.put("k", ANSWER)
    assert store.get("k") is None
    assert store.stats().entries == 0
    assert not store.clear()


def test_old_answers_are_asked_for_again_and_dropped(path: Path) -> None:
    clock = Clock()
    with closing(CacheStore(path, max_age_days=2, clock=clock)) as store:
        store.put("old", ANSWER)
        clock.now += 1.9 * 86_400
        assert store.get("old") == ANSWER
        clock.now += 0.2 * 86_400
        assert store.get("old") is None
    with closing(CacheStore(path, max_age_days=2, clock=clock)) as store:
        store.put("new", ANSWER)
        assert store.stats().entries == 1


def test_what_is_too_old_is_dropped_when_that_is_asked_for(path: Path) -> None:
    clock = Clock()
    with closing(CacheStore(path, max_age_days=2, clock=clock)) as store:
        store.put("old", ANSWER)
        store.drop_old()
        clock.now += 1.5 * 86_400
        store.put("new", ANSWER)
        clock.now += 86_400
        assert store.stats().entries == 2  # little was written, so nobody has looked
        store.drop_old()
        assert store.stats().entries == 1
        assert store.get("new") == ANSWER
    store.drop_old()


def test_the_size_limit_drops_what_was_longest_unused(path: Path) -> None:
    clock = Clock()
    with closing(CacheStore(path, max_bytes=4_000, clock=clock)) as store:
        for number in range(40):
            clock.now += 1
            store.put(f"{number:064d}", ANSWER)
            assert store.get(f"{0:064d}") == ANSWER, "it was used a moment ago"
            assert store.stats().bytes <= 4_000
        assert store.get(f"{39:064d}") == ANSWER
        assert store.get(f"{1:064d}") is None
        assert 5 <= store.stats().entries <= 12


def test_one_answer_beyond_the_limit_is_not_kept(path: Path) -> None:
    with closing(CacheStore(path, max_bytes=100)) as store:
        store.put("k", ANSWER.model_copy(update={"text": "x" * 1_000}))
        assert store.stats().bytes <= 100


def test_an_answer_stored_again_replaces_the_first(store: CacheStore) -> None:
    store.put("k", ANSWER)
    store.put("k", ANSWER.model_copy(update={"text": "Verdict: generated"}))
    found = store.get("k")
    assert found is not None
    assert found.text == "Verdict: generated"
    assert store.stats().entries == 1


def test_half_a_character_is_not_stored_and_breaks_nothing(store: CacheStore) -> None:
    store.put("k", ANSWER.model_copy(update={"text": "\ud800"}))
    assert store.get("k") is None
    store.put("l", ANSWER)
    assert store.get("l") == ANSWER


def test_what_another_version_wrote_is_asked_for_again(store: CacheStore, path: Path) -> None:
    store.put("k", ANSWER)
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE answers SET body = '{\"txt\": 1}'")
        other.commit()
    assert store.get("k") is None
    store.put("k", ANSWER)
    assert store.get("k") == ANSWER


def test_a_file_of_another_format_is_emptied(store: CacheStore, path: Path) -> None:
    store.put("k", ANSWER)
    store.close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    with closing(CacheStore(path)) as again:
        assert again.get("k") is None
        again.put("k", ANSWER)
        assert again.get("k") == ANSWER


def test_a_corrupt_file_costs_one_warning_and_clear_makes_a_new_one(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 500)
    with closing(CacheStore(path)) as store:
        for _ in range(3):
            store.put("k", ANSWER)
            assert store.get("k") is None
        assert store.stats().entries == 0
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "going on without it" in caplog.text
        assert store.clear()
        store.put("k", ANSWER)
        assert store.get("k") == ANSWER


def test_a_file_that_breaks_while_in_use_costs_one_warning(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(CacheStore(path)) as store:
        filled(store, 200)
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with closing(CacheStore(path)) as store:
        for number in range(200):
            store.put(f"{number:064d}", ANSWER)
            store.get(f"{number:064d}")
        assert len(caplog.records) == 1
        assert store.clear()
        store.put("k", ANSWER)
        assert store.get("k") == ANSWER


def test_a_full_disk_costs_one_warning_and_what_is_stored_stays_readable(
    store: CacheStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.put("k", ANSWER)
    assert store._file is not None
    pages = store._file._writer.execute("PRAGMA page_count").fetchone()[0]
    store._file._writer.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(3):
        store.put(f"big {number}", ANSWER.model_copy(update={"text": "x" * 50_000}))
    assert store.get("k") == ANSWER
    assert [record.getMessage() for record in caplog.records] == [
        f"The answer cache {store.stats().path} fails (database or disk is full); going on without it."
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_costs_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tmp_path.chmod(0o500)
    with closing(CacheStore(tmp_path / "cache" / "a.sqlite")) as store:
        store.put("k", ANSWER)
        assert store.get("k") is None
    assert len(caplog.records) == 1


def warned(caplog: pytest.LogCaptureFixture) -> str:
    (record,) = caplog.records
    return record.getMessage()


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")])
def test_a_file_that_may_not_be_written_is_read(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    with closing(CacheStore(path)) as store:
        filled(store, 3)
    before = path.read_bytes()

    def refuse(*_: object) -> int:
        raise error

    monkeypatch.setattr(os, "open", refuse)
    with closing(CacheStore(path)) as store:
        assert store.get(f"{1:064d}") == ANSWER
        store.put("new", ANSWER)
        assert store.get("new") is None
        assert store.stats().entries == 3
    assert "cannot be written" in warned(caplog)
    assert "it is read, and nothing is added" in warned(caplog)
    assert path.read_bytes() == before


READ_ONLY = """
import os, sys, pathlib
from backends.layers.cache_store import CacheStore
if os.geteuid() == 0:
    os.seteuid(65534)
store = CacheStore(pathlib.Path(sys.argv[1]))
found = store.get("1".rjust(64, "0"))
print(found and found.text, store.stats().entries)
store.close()
"""


def test_a_file_in_a_folder_that_may_not_be_written_is_read() -> None:
    """As on a mounted disc: SQLite can make no log beside the file."""
    # Not pytest's folder, which nobody but its owner may enter, and root may write everywhere.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "answers.sqlite"
        with closing(CacheStore(path)) as store:
            filled(store, 3)
        path.chmod(0o444)
        folder.chmod(0o555)
        try:
            command = [sys.executable, "-c", READ_ONLY, str(path)]
            ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            kept = [file.name for file in folder.iterdir()]
        finally:
            folder.chmod(0o700)
    assert ran.stdout == "Verdict: real 3\n", ran.stderr
    assert ran.stderr.count("it is read, and nothing is added") == 1
    assert kept == ["answers.sqlite"]


def test_a_file_that_another_process_keeps_locked_is_read(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.layers.answer_file._WRITE_WAIT_S", 0.05)
    monkeypatch.setattr(AnswerFile._set_up.retry, "stop", stop_after_attempt(2))
    with closing(CacheStore(path)) as store:
        filled(store, 3)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with closing(CacheStore(path)) as store:
            assert store.get(f"{1:064d}") == ANSWER
            store.put("new", ANSWER)
        other.execute("ROLLBACK")
    assert "cannot be written (database is locked)" in warned(caplog)
    with closing(CacheStore(path)) as store:
        assert store.stats().entries == 3


def test_a_file_that_may_not_be_written_and_was_written_in_another_format_is_not_read(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(CacheStore(path)) as store:
        store.put("k", ANSWER)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with closing(CacheStore(path)) as store:
        assert store.get("k") is None
    assert "going on without it" in warned(caplog)


def test_a_file_that_may_not_be_written_cannot_be_cleared(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(CacheStore(path)) as store:
        store.put("k", ANSWER)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with closing(CacheStore(path)) as store:
        assert not store.clear()
        assert store.get("k") == ANSWER


def test_a_path_that_cannot_be_a_file_costs_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "answers.sqlite"):
        caplog.clear()
        with closing(CacheStore(path)) as store:
            store.put("k", ANSWER)
            assert store.get("k") is None
            assert not store.clear()
        assert len(caplog.records) == 1


def test_reading_does_not_wait_for_a_writer(store: CacheStore, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store.put("k", ANSWER)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        store.put_soon("l", ANSWER)
        assert store.get("k") == ANSWER
        assert store.get("l") == ANSWER
        other.execute("ROLLBACK")
    store.flush()
    assert store.stats().entries == 2
    assert not caplog.records


def test_threads_share_a_store(store: CacheStore) -> None:
    def work(start: int) -> None:
        for number in range(start, start + 50):
            store.put_soon(str(number), ANSWER)
            assert store.get(str(number)) == ANSWER

    threads = [threading.Thread(target=work, args=(50 * i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.stats().entries == 200


FILL = """
import sys, pathlib
from backends.layers.cache_store import CacheStore
from backends.completion import Completion
store = CacheStore(pathlib.Path(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 50):
    store.put(str(number), Completion(text="x", model="m", backend="b"))
store.close()
"""


def test_processes_share_a_file(path: Path) -> None:
    commands = [[sys.executable, "-c", FILL, str(path), str(50 * i)] for i in range(4)]
    workers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    assert [worker.communicate(timeout=60)[1] for worker in workers] == [""] * 4
    with closing(CacheStore(path)) as store:
        assert store.stats().entries == 200
        assert store.get("199") is not None


def test_at_once_an_answer_is_in_the_file_when_it_is_put(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    store = CacheStore(path, at_once=True)
    store.put_soon("k", ANSWER)
    # Another store stands for the process that comes after a kill: nothing was flushed or closed.
    after = CacheStore(path)
    assert (found := after.get("k")) is not None
    assert found.text == ANSWER.text
    assert store.get("k") == found
    after.close()
    store.close()
    store.put_soon("late", ANSWER)
    assert store.get("late") is None
