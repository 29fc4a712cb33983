"""Where answers are kept between runs, so that nothing is asked twice."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from backends.completion import Completion
from backends.layers.answer_file import AnswerFile, Stored, remove_answer_file
from backends.layers.answer_reader import AnswerReader

log = logging.getLogger(__name__)

MAX_AGE_DAYS = 90.0
_DAY_S = 86_400.0
_MAX_TOUCHED = 1_000
_MAX_PENDING = 10_000
"""Answers waiting to be written; a disk that hangs must not fill the memory."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What a store holds: how many answers, and the bytes they take. `path` is None when nothing is kept."""

    path: Path | None
    entries: int
    bytes: int


class CacheStore:
    """Answers by key in an SQLite file, safe between threads and processes. Reading is quick; a thread writes.

    A cache never costs a verdict: what goes wrong with the file is logged once as a warning, and the answers concerned
    are asked for again. A file that can be read and not written (no right to, or another process keeps it locked) is
    read, and nothing is added to it. Answers are kept as JSON without rate headers. Open a store after a fork, not
    before.

    Args:
        path: the file, made with mode 0600; a missing folder is made with mode 0700. None keeps nothing.
        max_bytes: beyond it, the answers longest unused are dropped.
        max_age_days: older answers are asked for again.
        clock: seconds since the epoch.
        at_once: write each answer before `put_soon` returns, in the caller's thread. For a file that nobody else uses:
            a process that is killed then loses no answer that it had got.
    """

    def __init__(
        self,
        path: Path | None,
        max_bytes: int = 1_000_000_000,
        max_age_days: float = MAX_AGE_DAYS,
        clock: Callable[[], float] = time.time,
        *,
        at_once: bool = False,
    ) -> None:
        self._path = path
        self._at_once = at_once
        self._max_bytes = max_bytes
        self._max_age_s = max_age_days * _DAY_S
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: dict[str, Stored] = {}
        self._writing: dict[str, Stored] = {}
        self._used: dict[str, float] = {}
        self._scheduled = False
        self._warned = False
        self._thread: ThreadPoolExecutor | None = ThreadPoolExecutor(1, thread_name_prefix="sixlens-cache")
        self._file: AnswerFile | AnswerReader | None = self._guarded(self._open)

    def get(self, key: str) -> Completion | None:
        """The stored answer, or None. Takes some tens of microseconds, and never waits for a write."""
        with self._lock:
            stored = self._pending.get(key) or self._writing.get(key) or self._read(key)
            now = self._clock()
            if stored is None or stored[1] < now - self._max_age_s:
                return None
            if not self._at_once:  # the thread must not write beside the caller
                self._used[key] = now
            if len(self._used) >= _MAX_TOUCHED:
                self._schedule()
        try:
            return Completion.model_validate_json(stored[0])
        except ValidationError:
            return None  # written by another version; the new answer will replace it

    def put_soon(self, key: str, completion: Completion) -> None:
        """Keep an answer: `get` finds it at once, the file has it a moment later (or now, with `at_once`)."""
        try:
            body = completion.model_dump_json(exclude={"rate"})
        except PydanticSerializationError:
            return  # half a character (a lone surrogate) has no bytes to be written
        with self._lock:
            if self._at_once:
                self._write_now(key, (body, self._clock()))
            elif self._file is not None and len(self._pending) < _MAX_PENDING:
                self._pending[key] = (body, self._clock())
                self._schedule()

    def _write_now(self, key: str, answer: Stored) -> None:
        file = self._file
        if file is not None:
            self._guarded(lambda: file.write({key: answer}, {}, answer[1]))

    def put(self, key: str, completion: Completion) -> None:
        """Keep an answer, and return when the file has it."""
        self.put_soon(key, completion)
        self.flush()

    def flush(self) -> None:
        """Return when everything that was put is in the file."""
        self._in_thread(self._flush, None)

    def drop_old(self) -> None:
        """Drop from the file what is too old to be used. By itself that is done only when much was written."""
        self._in_thread(self._drop_old, None)

    def stats(self) -> CacheStats:
        """How much is stored."""
        return CacheStats(self._path, *self._in_thread(self._count, (0, 0)))

    def clear(self) -> bool:
        """Drop every answer; whether that worked. A file that cannot be read is replaced by a new one."""
        return self._in_thread(self._clear, False)

    def close(self) -> None:
        """Write what is left and close the file; may be called more than once. A closed store holds nothing."""
        self.flush()
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()
        with self._lock:
            self._shut()

    def _open(self) -> AnswerFile | AnswerReader | None:
        if self._path is None:
            return None
        try:
            return AnswerFile(self._path, self._max_bytes, self._max_age_s)
        except (sqlite3.OperationalError, OSError) as error:
            reader = _reader(self._path)
            if reader is None:
                raise
            self._warn("The answer cache %s cannot be written (%s); it is read, and nothing is added.", error)
            return reader

    def _shut(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            self._guarded(file.close)

    def _guarded(self, work: Callable[[], T]) -> T | None:
        """Do `work`. What goes wrong with the file is said once, and None returned."""
        try:
            return work()
        except (sqlite3.Error, OSError) as error:
            self._warn("The answer cache %s fails (%s); going on without it.", error)
            return None

    def _warn(self, message: str, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            log.warning(message, self._path, error)

    def _read(self, key: str) -> Stored | None:
        file = self._file
        return self._guarded(lambda: file.read(key)) if file is not None else None

    def _in_thread(self, work: Callable[[], T], closed: T) -> T:
        """The result of `work`, done in the store's thread; `closed` when there is none any more."""
        with self._lock:
            future = self._thread.submit(work) if self._thread is not None else None
        return future.result() if future is not None else closed

    def _schedule(self) -> None:
        """Have the thread write what is pending; the caller holds the lock."""
        if self._thread is not None and not self._scheduled:
            self._scheduled = True
            self._thread.submit(self._flush)

    def _flush(self) -> None:
        with self._lock:
            self._scheduled = False
            self._writing, self._pending = self._pending, {}
            used, self._used = self._used, {}
            file = self._file
        answers = self._writing
        if file is not None and (answers or used):
            self._guarded(lambda: file.write(answers, used, self._clock()))
        with self._lock:
            self._writing = {}

    def _drop_old(self) -> None:
        file = self._file
        if isinstance(file, AnswerFile):
            self._guarded(lambda: file.drop_old(self._clock()))

    def _count(self) -> tuple[int, int]:
        self._flush()
        file = self._file
        return (self._guarded(file.count) if file is not None else None) or (0, 0)

    def _clear(self) -> bool:
        with self._lock:
            self._pending, self._used = {}, {}
            file = self._file
        if file is not None:
            try:
                file.clear()
            except sqlite3.OperationalError as error:
                log.warning("The answer cache %s cannot be emptied now (%s).", self._path, error)
                return False
            except sqlite3.DatabaseError as error:
                log.info("The answer cache %s is broken (%s); making a new one.", self._path, error)
            else:
                return True
        return self._replace()

    def _replace(self) -> bool:
        path = self._path
        if path is None:
            return True
        with self._lock:
            self._shut()
            self._guarded(lambda: remove_answer_file(path))
            self._file = self._guarded(self._open)
            return self._file is not None


def _reader(path: Path) -> AnswerReader | None:
    try:
        return AnswerReader(path)
    except sqlite3.Error:
        return None  # there is none, or it cannot be read either: what was wrong with writing it says more
