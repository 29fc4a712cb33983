from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.errors import ConfigError
from backends.layers.budget import Amount
from evals.journal import Header, Journal, count_tasks, failed, read_entries, read_header, read_judgments, read_verdicts
from evals.judgment import Judgment, Vote
from paradigms.label import Cause, Label, Outcome

HEADER = Header(experiment="e", created_at=datetime(2026, 1, 1, tzinfo=UTC), identity={"data": "1", "arm a": "2"})


def judgment(case: str, label: Label | None = Label.REAL, error: str | None = None, repeat: int = 0) -> Judgment:
    return Judgment(case=case, arm="a", repeat=repeat, label=label, error=error, error_kind=error and "NoVerdictError")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of two sessions."""
    path = tmp_path / "journal.jsonl"
    first = Journal.open(path, HEADER)
    first.append(judgment("one"), {"id": "1"}, Amount(3, 30, 0.5))
    first.append(judgment("two", None, "no"), None, Amount(4, 40, 0.5))
    first.close()
    second = Journal.open(path, HEADER)
    second.append(judgment("three"), {"id": "3"}, Amount(1, 10, 0.25))
    second.close()
    return path


def test_it_says_what_is_done_and_what_was_spent(path: Path) -> None:
    journal = Journal.open(path, HEADER)
    journal.close()
    assert {key[1] for key in journal.done} == {"one", "two", "three"}
    assert {key[1] for key in journal.failed} == {"two"}
    assert journal.spent_before == Amount(5, 50, 0.75)
    assert journal.session == 2
    assert journal.header == HEADER


def test_of_several_entries_the_last_counts(path: Path) -> None:
    journal = Journal.open(path, HEADER)
    journal.append(judgment("two", Label.GENERATED), {"id": "2"}, Amount())
    journal.append(judgment("one", None, "gone"), None, Amount())
    journal.close()
    found = {it.case: it.label for it in read_judgments(path)}
    assert found == {"one": None, "three": Label.REAL, "two": Label.GENERATED}
    assert len(list(read_entries(path))) == 5
    keys = {("a", case, "none", 0) for case in ("one", "two")}
    assert read_verdicts(path, keys) == {("a", "two", "none", 0): {"id": "2"}}
    again = Journal.open(path, HEADER)
    again.close()
    assert {key[1] for key in again.failed} == {"one"}


@pytest.mark.parametrize("cut", range(1, 300, 7))
def test_a_line_that_was_cut_off_is_dropped(path: Path, cut: int) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    journal = Journal.open(path, HEADER)
    journal.append(judgment("four"), None, Amount())
    journal.close()
    lines = path.read_bytes().splitlines(keepends=True)
    assert lines[:-1] == whole.splitlines(keepends=True)[: len(lines) - 1]
    assert next(it.case for it in read_judgments(path)) == "four"


@pytest.mark.parametrize("content", [b"", b'{"journal":1,"exp'])
def test_a_header_that_was_cut_off_is_written_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content)
    Journal.open(path, HEADER).close()
    assert read_header(path) == HEADER
    assert read_judgments(path) == []


def test_a_task_that_was_done_again_counts_once(path: Path) -> None:
    journal = Journal.open(path, HEADER)
    for name in ("one", "two", "one"):
        journal.append(judgment(name), {"words": "x" * 100}, Amount())
    journal.note_spent(Amount(calls=1))
    journal.append(judgment("two").model_copy(update={"repeat": 1}), None, Amount())
    journal.close()
    before = len(read_judgments(path))
    with path.open("ab") as file:
        file.write(b'{"judgment":{"case":"three","arm":"a"')  # cut off
    assert count_tasks(path) == before
    with path.open("ab") as file:
        file.write(b"\n")
    with pytest.raises(ConfigError, match="damaged"):
        count_tasks(path)


def test_lines_of_spending_are_no_judgments(path: Path) -> None:
    journal = Journal.open(path, HEADER)
    journal.note_spent(Amount(7, 0, 0.0))
    journal.close()
    assert len(read_judgments(path)) == 3
    again = Journal.open(path, HEADER)
    again.close()
    assert again.spent_before == Amount(12, 50, 0.75)


def test_another_identity_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match="this changed since it began: arm a"):
        Journal.open(path, HEADER.model_copy(update={"identity": {"data": "1", "arm a": "3"}}))
    with pytest.raises(ConfigError, match="experiment 'e'"):
        Journal.open(path, HEADER.model_copy(update={"experiment": "f"}))


@pytest.mark.parametrize("line", [b"[1]\n", b"nonsense\n", b'{"judgment": 3}\n', b"7\n", b'{"spent": []}\n'])
def test_a_damaged_line_is_named(path: Path, line: bytes) -> None:
    path.write_bytes(path.read_bytes() + line)
    with pytest.raises(ConfigError, match="line 5: damaged"):
        read_judgments(path)


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no run here"):
        read_judgments(tmp_path / "none.jsonl")
    (tmp_path / "other.jsonl").write_text('{"some": "thing"}\n', "utf-8")
    with pytest.raises(ConfigError, match="no journal of a run"):
        read_judgments(tmp_path / "other.jsonl")
    with pytest.raises(ConfigError, match="cannot be written"):
        Journal.open(tmp_path / "no" / "folder.jsonl", HEADER)


def test_a_full_disk_is_one_clear_error() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with Path("/dev/full").open("r+b", buffering=0) as device:
        journal = Journal(device, Path("run/journal.jsonl"), HEADER)  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match=r"cannot be written \(No space left on device\).*--resume"):
            journal.append(judgment("one"), None, Amount())


@pytest.mark.parametrize(
    ("vote", "again"),
    [
        (Vote(outcome=Outcome.ANSWERED, label=Label.REAL), False),
        (Vote(outcome=Outcome.REFUSED), False),
        (Vote(outcome=Outcome.FAILED), True),
        (Vote(outcome=Outcome.SKIPPED, cause=Cause.DEADLINE), True),
        (Vote(outcome=Outcome.SKIPPED, cause=Cause.LACKING), False),
    ],
)
def test_what_is_worth_another_try(vote: Vote, again: bool) -> None:
    answered = {"q": Vote(outcome=Outcome.ANSWERED, label=Label.REAL)}
    for said in ({"votes": {**answered, "p": vote}}, {"votes": answered, "panel": vote}):
        assert failed(Judgment(case="c", arm="a", label=Label.UNDECIDED, **said)) is again
