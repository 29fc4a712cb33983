"""Other people's predictions as judgments, so that everything here can be done with them too."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from backends.errors import InputError
from backends.text_file import read_text
from evals.judgment import Costs, Judgment, Vote
from evals.refuse import tally_votes
from evals.tally import scaled
from fusion.decision import Rules
from fusion.verdict import Basis
from fusion.vote import decide
from paradigms.label import Cause, Label, Outcome

ARM = "imported"
MAX_BYTES = 200_000_000
MAX_ROWS = 2_000_000
MAX_VOTERS = 100
MAX_TEXT = 500
"""Characters of a name."""
REQUIRED = ("case", "label", "paradigm", "vote")
OPTIONAL = ("p_generated", "group")
_SIDES: Mapping[str, Label] = MappingProxyType(
    dict.fromkeys(("generated", "fake", "ai", "1"), Label.GENERATED)
    | dict.fromkeys(("real", "photo", "nature", "0"), Label.REAL)
)
_VOTES: Mapping[str, Vote] = MappingProxyType(
    {word: Vote(outcome=Outcome.ANSWERED, label=label, calls=1) for word, label in _SIDES.items()}
    | {word: Vote(outcome=Outcome.ANSWERED, label=Label.UNDECIDED, calls=1) for word in ("undecided", "unsure")}
    | {
        "refused": Vote(outcome=Outcome.REFUSED, calls=1),
        "unparsed": Vote(outcome=Outcome.UNPARSED, calls=1),
        "failed": Vote(outcome=Outcome.FAILED),
        "skipped": Vote(outcome=Outcome.SKIPPED, cause=Cause.LACKING),
    }
)


@dataclass(slots=True)
class _Case:
    """A case as its rows come in."""

    label: Label | None
    group: str | None
    votes: dict[str, Vote] = field(default_factory=dict)


def read_foreign_votes(path: Path, rules: Rules, whole: int | None = None) -> list[Judgment]:
    """The judgments of a file of votes, in the order of its cases; their arm is `imported`.

    A CSV file with a first line of columns: `case`, `label` (generated or real; empty for an unknown one), `paradigm`,
    `vote` (generated, real, undecided, refused, unparsed, failed or skipped), and optionally `p_generated` (0 to 1) and
    `group`, which becomes the source. For either side the words fake and ai or real and photo, and 1 or 0, are
    understood too. The label of each judgment is the tally of its voters. Of a file with one paradigm that gives each
    of its answers a `p_generated`, that is the judgments' own, by which they are ranked.

    Args:
        path: the file.
        rules: how votes become a label.
        whole: how many voters the quorum of `rules` was meant for; it is scaled to the number of voters in the file.
            None leaves the quorum as it is, but never above that number.

    Raises:
        InputError: the file cannot be read, is too large, or a line is wrong, stands there twice or contradicts
            another; one line that names the line.
    """
    cases: dict[str, _Case] = {}
    voters: set[str] = set()
    for where, row in _rows(path):
        case = _add(cases, row, where)
        voters.add(row["paradigm"])
        if len(voters) > MAX_VOTERS:
            raise InputError(f"{where}: more than {MAX_VOTERS} paradigms.")
        case.votes[row["paradigm"]] = _vote(row, where)
    if not cases:
        raise InputError(f"{path}: there is no vote below the first line.")
    own = scaled(rules, len(voters), whole) if whole else rules
    own = own.model_copy(update={"quorum": min(own.quorum, len(voters))})
    answers = [vote for case in cases.values() for vote in case.votes.values() if vote.label is not None]
    ranked = len(voters) == 1 and all(vote.p_generated is not None for vote in answers)
    return [_judgment(name, case, own, ranked=ranked) for name, case in cases.items()]


def _judgment(name: str, case: _Case, rules: Rules, *, ranked: bool) -> Judgment:
    votes = tally_votes(case.votes.values())
    decision = decide(votes, rules)
    return Judgment(
        case=name,
        truth=case.label,
        source=case.group,
        arm=ARM,
        label=decision.label,
        undecided_because=decision.undecided_because,
        basis=Basis.SEEN if votes.answered else Basis.NONE,
        score=round((votes.generated - votes.real) / votes.answered, 4) if votes.answered else None,
        p_generated=next(iter(case.votes.values())).p_generated if ranked else None,
        votes=case.votes,
        costs=Costs(calls=sum(vote.calls for vote in case.votes.values())),
    )


def _add(cases: dict[str, _Case], row: Mapping[str, str], where: str) -> _Case:
    """The case of a row, which must say the same of it as the rows before."""
    if not row["case"] or not row["paradigm"]:
        raise InputError(f"{where}: `case` and `paradigm` must not be empty.")
    label = _SIDES.get(row["label"].lower())
    if label is None and row["label"]:
        raise InputError(f"{where}: `label` is generated or real, or empty; got {row['label'][:40]!r}.")
    group = row.get("group") or None
    case = cases.setdefault(row["case"], _Case(label, group))
    if case.label is not label:
        raise InputError(f"{where}: another line gives the case {row['case'][:80]!r} another label.")
    if case.group != group:
        raise InputError(f"{where}: another line gives the case {row['case'][:80]!r} another group.")
    if row["paradigm"] in case.votes:
        raise InputError(f"{where}: {row['paradigm'][:80]!r} has voted on the case {row['case'][:80]!r} already.")
    return case


def _vote(row: Mapping[str, str], where: str) -> Vote:
    vote = _VOTES.get(row["vote"].lower())
    if vote is None:
        known = "generated, real, undecided, refused, unparsed, failed or skipped"
        raise InputError(f"{where}: `vote` is {known}; got {row['vote'][:40]!r}.")
    text = row.get("p_generated") or ""
    if not text or vote.label is None:
        return vote
    try:
        chance = float(text)
    except ValueError:
        chance = math.nan
    if not 0 <= chance <= 1:
        raise InputError(f"{where}: `p_generated` is a number from 0 to 1; got {text[:40]!r}.")
    return vote.model_copy(update={"p_generated": chance})


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Every row with where it stands."""
    text = read_text(path, MAX_BYTES, f"larger than {MAX_BYTES:,} bytes.", error=InputError, encoding="utf-8-sig")
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    columns = (*REQUIRED, *OPTIONAL)
    try:
        missing = [name for name in REQUIRED if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError(f"{path}, line 1: the column {missing[0]!r} is missing. Wanted: {', '.join(REQUIRED)}.")
        for number, row in enumerate(reader, start=1):
            where = f"{path}, line {reader.line_num}"
            if number > MAX_ROWS:
                raise InputError(f"{where}: more than {MAX_ROWS:,} votes.")
            if None in row:
                raise InputError(f"{where}: more fields than the first line has columns; quote what holds a comma.")
            found = {name: (row[name] or "").strip() for name in columns if name in row}
            if any(len(value) > MAX_TEXT or not value.isprintable() for value in found.values()):
                raise InputError(f"{where}: a value is longer than {MAX_TEXT} characters, or holds control characters.")
            yield where, found
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: not valid CSV: {error}.") from error
