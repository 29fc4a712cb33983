"""The journal of a run: JSON lines that are only ever appended, the header first.

Every line is written at once and flushed, so a killed process loses at most the line it was writing: a line without an
end is cut off when the journal is opened again. Of several entries for one task the last counts. A line without a
judgment only says what was spent.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Container, Iterator
from contextlib import ExitStack
from io import BufferedRandom
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from backends.errors import ConfigError
from backends.layers.budget import Amount
from evals.judgment import Judgment
from paradigms.label import Cause, Outcome

VERSION: Literal[1] = 1
Key = tuple[str, str, str, int]
"""Arm, case, perturbation and repeat: what is judged once."""


def key_of(judgment: Judgment) -> Key:
    """Which task a judgment is of."""
    return judgment.arm, judgment.case, judgment.perturbation, judgment.repeat


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Header(_Record):
    """The first line: whose journal it is. `identity` says, part by part, what decides the results."""

    journal: Literal[1] = VERSION
    experiment: str
    created_at: AwareDatetime
    identity: dict[str, str]


class Spent(_Record):
    """What one session had spent, or set aside for what was under way, when a line was written."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0

    @classmethod
    def of(cls, amount: Amount) -> Self:
        """The same, of a budget."""
        return cls(calls=amount.calls, tokens=amount.tokens, cost=amount.cost)

    def amount(self) -> Amount:
        """For the budget."""
        return Amount(self.calls, self.tokens, self.cost)


class SpentLine(_Record):
    """A line that only says what a session had spent."""

    session: int = 0
    spent: Spent


class Entry(_Record):
    """A judgment, the whole verdict if it is kept, and what the session had spent."""

    judgment: Judgment
    verdict: dict[str, Any] | None = None
    session: int = 0
    spent: Spent = Spent()


class Journal:
    """The journal of a run that goes on; hold the run's lock while it is open.

    Attributes:
        done: the tasks that earlier sessions did.
        failed: of them, those that ended in an error or have a failed examination.
        digests: the SHA-256 of each case's file, where it was read; hexadecimal.
        spent_before: what earlier sessions spent. Of one that was killed, what was under way counts as spent.
    """

    def __init__(self, file: BufferedRandom, path: Path, header: Header) -> None:
        self._file = file
        self._path = path
        self.header = header
        self.done: set[Key] = set()
        self.failed: set[Key] = set()
        self.digests: dict[str, str] = {}
        self.spent_before = Amount()
        self.session = 0

    @classmethod
    def open(cls, path: Path, header: Header) -> Self:
        """Open a journal to append to it, or begin one with `header`.

        Raises:
            ConfigError: it belongs to another experiment, or to another state of this one; or it is damaged.
        """
        try:
            path.touch()
            file = path.open("r+b")
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written ({error.strerror}).") from error
        with ExitStack() as unless_opened:
            unless_opened.callback(file.close)
            end = _whole(file)
            if end == 0:
                journal = cls(file, path, header)
                journal._write(header.model_dump_json())
            else:
                journal = cls(file, path, read_header(path))
                _same(journal.header, header, path)
                journal._read_back()
                file.seek(end)
            unless_opened.pop_all()
        return journal

    def append(self, judgment: Judgment, verdict: dict[str, Any] | None, spent: Amount) -> None:
        """Write one entry. It is in the file when this returns, also if the process is killed then.

        Raises:
            ConfigError: it cannot be written, for example since the disk is full; or the case's file is not the one
                that was judged before.
        """
        self._note_digest(judgment)
        entry = Entry(judgment=judgment, verdict=verdict, session=self.session, spent=Spent.of(spent))
        self._write(entry.model_dump_json(exclude_defaults=True))

    def note_spent(self, spent: Amount) -> None:
        """Write what the session has spent, without a judgment. Raises as `append` does."""
        self._write(SpentLine(session=self.session, spent=Spent.of(spent)).model_dump_json())

    def close(self) -> None:
        """Flush to the disk and close."""
        if not self._file.closed:
            with contextlib.suppress(OSError):  # a full disk: whoever wrote the last line was told
                os.fsync(self._file.fileno())
                self._file.close()

    def _note_digest(self, judgment: Judgment) -> None:
        """Hold the case to its picture: pictures are told apart by their size until they are read."""
        if judgment.sha256 and self.digests.setdefault(judgment.case, judgment.sha256) != judgment.sha256:
            raise ConfigError(
                f"{self._path.parent}: the picture {judgment.case[:200]!r} is not the one that was judged before. Put "
                "that one back, or start a new run in another folder (-o)."
            )

    def _write(self, line: str) -> None:
        try:
            self._file.write(line.encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise ConfigError(
                f"{self._path}: the journal cannot be written ({error.strerror}). What is done is kept; make room and "
                "go on with --resume."
            ) from error

    def _read_back(self) -> None:
        """What earlier sessions did and spent."""
        sessions: dict[int, Spent] = {}
        for line in _lines(self._path):
            sessions[line.session] = line.spent
            if isinstance(line, Entry):
                key = key_of(line.judgment)
                self.done.add(key)
                self.failed.discard(key)
                self._note_digest(line.judgment)
                if failed(line.judgment):
                    self.failed.add(key)
        self.spent_before = sum((spent.amount() for spent in sessions.values()), Amount())
        self.session = max(sessions, default=-1) + 1


def failed(judgment: Judgment) -> bool:
    """Whether it is worth another try: no verdict came, or an examination, or the panel, failed or came too late."""
    return judgment.error is not None or any(
        vote.outcome is Outcome.FAILED or vote.cause is Cause.DEADLINE for vote in judgment.everybody.values()
    )


def read_header(path: Path) -> Header:
    """The first line of a journal.

    Raises:
        ConfigError: there is no journal, or none that this version reads.
    """
    try:
        with path.open("rb") as file:
            return Header.model_validate_json(file.readline())
    except OSError as error:
        raise ConfigError(f"{path}: there is no run here ({error.strerror}).") from error
    except ValidationError as error:
        raise ConfigError(f"{path}: this is no journal of a run, or one of another version.") from error


def read_entries(path: Path) -> Iterator[Entry]:
    """Every whole entry of a journal, in the order of writing, several for one task included.

    Raises:
        ConfigError: a line is damaged.
    """
    return (line for line in _lines(path, verdicts=True) if isinstance(line, Entry))


def read_judgments(path: Path) -> list[Judgment]:
    """The judgments of a run, one a task, the last that was written; sorted by task.

    Raises:
        ConfigError: there is no journal, or it is damaged.
    """
    read_header(path)
    latest = {key_of(line.judgment): line.judgment for line in _lines(path) if isinstance(line, Entry)}
    return [latest[key] for key in sorted(latest)]


def count_tasks(path: Path) -> int:
    """How many tasks a journal has a judgment of, however often it was written.

    Of a line only the judgment is read, and of that only which task it is of, so that many runs can be listed.

    Raises:
        ConfigError: a line is damaged.
    """
    decoder, start, tasks = json.JSONDecoder(), '{"judgment":', set()
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        for number, line in enumerate(file, start=1):
            if not (line.startswith(start) and line.endswith("\n")):
                continue
            try:
                found, _ = decoder.raw_decode(line, len(start))
                tasks.add((found["arm"], found["case"], found.get("perturbation"), found.get("repeat")))
            except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
                raise ConfigError(f"{path}, line {number}: damaged; the run cannot be read.") from error
    return len(tasks)


def read_verdicts(path: Path, wanted: Container[Key]) -> dict[Key, dict[str, Any]]:
    """The whole verdicts of some tasks, where they were kept; of a task that was done again, the last."""
    found: dict[Key, dict[str, Any]] = {}
    for entry in read_entries(path):
        key = key_of(entry.judgment)
        if key not in wanted:
            continue
        if entry.verdict is not None:
            found[key] = entry.verdict
        else:
            found.pop(key, None)
    return found


def _lines(path: Path, *, verdicts: bool = False) -> Iterator[Entry | SpentLine]:
    """Every whole line below the header; verdicts, which take most of the room, only if wanted."""
    with path.open("rb") as file:
        file.readline()
        for number, line in enumerate(file, start=2):
            if not line.endswith(b"\n"):
                return
            try:
                data = json.loads(line)
                if "judgment" not in data:
                    yield SpentLine.model_validate(data)
                    continue
                if not verdicts:
                    data.pop("verdict", None)
                yield Entry.model_validate(data)
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                raise ConfigError(f"{path}, line {number}: damaged; the run cannot be read.") from error


def _whole(file: BufferedRandom) -> int:
    """Cut off a line that has no end, and return the length of the rest."""
    size = file.seek(0, os.SEEK_END)
    end = size
    while end > 0:
        start = max(0, end - 65536)
        file.seek(start)
        cut = file.read(end - start).rfind(b"\n")
        if cut >= 0:
            end = start + cut + 1
            break
        end = start
    if end < size:
        file.truncate(end)
    file.seek(end)
    return end


def _same(there: Header, now: Header, path: Path) -> None:
    if there.experiment != now.experiment:
        raise ConfigError(f"{path.parent}: the run is of the experiment {there.experiment!r}; choose another folder.")
    names = {**there.identity, **now.identity}
    changed = [name for name in names if there.identity.get(name) != now.identity.get(name)]
    if changed:
        raise ConfigError(
            f"{path.parent}: the run cannot go on, since this changed since it began: {', '.join(changed)}. "
            "Change it back, or start a new run in another folder (-o)."
        )
