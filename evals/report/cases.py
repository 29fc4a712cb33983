"""The cases that a reader should look at, the wrong ones first, with what each paradigm said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from evals.journal import Key, key_of, read_verdicts
from evals.judgment import Judgment, Vote
from evals.report.material import Material
from evals.report.thumbnails import Thumbnail, thumbnails
from evals.run import JOURNAL
from fusion.explanation import describe, quote
from fusion.verdict import Verdict
from paradigms.evidence import Evidence
from paradigms.label import Label, Outcome
from paradigms.report import Report
from paradigms.signals.provenance.text import plain

MOST = 300
"""Cases in the report, at most; the journal has all."""
MOST_SIGNS = 6
"""Pieces of evidence of one paradigm, and regions on a picture, at most."""
_TEXT = 600
_NAME = 200


class Kind(StrEnum):
    """How a judgment stands to the label of the data set, in the order in which they are shown."""

    ACCUSED = "accused"
    MISSED = "missed"
    UNDECIDED = "undecided"
    NO_VERDICT = "no-verdict"
    RIGHT = "right"
    UNLABELLED = "unlabelled"


TITLES = {
    Kind.ACCUSED: "Real photographs called generated",
    Kind.MISSED: "Generated pictures called real",
    Kind.UNDECIDED: "Undecided",
    Kind.NO_VERDICT: "No verdict",
    Kind.RIGHT: "Called as the data set says",
    Kind.UNLABELLED: "Called, but without a label to compare with",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What one paradigm said, for people."""

    name: str
    ended: str
    """The label, or how else it ended."""
    side: str
    """`generated`, `real` or `neither`, for the style."""
    text: str = ""
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One judgment, as it is shown."""

    case: str
    arm: str
    repeat: int
    truth: str
    label: str
    side: str
    because: str
    """Why it is undecided, or what went wrong; empty for a label."""
    score: str
    generator: str
    source: str
    headline: str
    said: tuple[Said, ...]
    signs: tuple[Evidence, ...]
    """Those with regions."""
    thumbnail: Thumbnail | None


@dataclass(frozen=True, slots=True)
class CaseGroup:
    """The judgments of one kind."""

    kind: Kind
    title: str
    total: int
    """All that there are."""
    rows: tuple[CaseRow, ...]
    """Those that are shown."""


@dataclass(frozen=True, slots=True)
class CaseList:
    """The table of cases."""

    groups: tuple[CaseGroup, ...]
    total: int
    shown: int
    words: tuple[str, ...]
    """What is left out, and why there is no picture or no text."""


def case_list(material: Material, most: int = MOST) -> CaseList:
    """The cases of each arm's own table of results: pictures as they are, or under the arm's first perturbation."""
    groups = sorted_out(material)
    chosen: dict[Kind, list[Judgment]] = {}
    left = most
    for kind, judgments in groups.items():
        chosen[kind] = judgments[:left]
        left -= len(chosen[kind])
    picked = [judgment for judgments in chosen.values() for judgment in judgments]
    verdicts = read_verdicts(material.run.folder / JOURNAL, {key_of(judgment) for judgment in picked})
    pictures = thumbnails(material.run, picked)
    total = sum(len(judgments) for judgments in groups.values())
    return CaseList(
        groups=tuple(
            CaseGroup(
                kind,
                TITLES[kind],
                len(judgments),
                tuple(_row(judgment, verdicts, pictures.by_case.get(judgment.case)) for judgment in chosen[kind]),
            )
            for kind, judgments in groups.items()
            if judgments
        ),
        total=total,
        shown=len(picked),
        words=tuple(_words(material, total, picked, verdicts, pictures.note)),
    )


def sorted_out(material: Material) -> dict[Kind, list[Judgment]]:
    """All judgments by kind. Of mistakes those with the farthest score come first."""
    under = {summary.arm: summary.perturbation for summary in material.main}
    groups: dict[Kind, list[Judgment]] = {kind: [] for kind in Kind}
    for judgment in material.run.judgments:
        if judgment.perturbation == under[judgment.arm]:
            groups[kind_of(judgment)].append(judgment)
    for kind, judgments in groups.items():
        far = kind in (Kind.ACCUSED, Kind.MISSED)
        judgments.sort(key=lambda it: (-abs(it.score or 0.0) if far else 0.0, it.case, it.arm, it.repeat))
    return groups


def kind_of(judgment: Judgment) -> Kind:
    """How the judgment stands to the truth."""
    if judgment.label is None:
        return Kind.NO_VERDICT
    if judgment.label is Label.UNDECIDED:
        return Kind.UNDECIDED
    if judgment.truth not in (Label.GENERATED, Label.REAL):
        return Kind.UNLABELLED
    if judgment.label is judgment.truth:
        return Kind.RIGHT
    return Kind.ACCUSED if judgment.truth is Label.REAL else Kind.MISSED


def _words(
    material: Material, total: int, picked: Sequence[Judgment], verdicts: Mapping[Key, Any], note: str
) -> Iterator[str]:
    if len(picked) < total:
        yield (
            f"{len(picked):,} of {total:,} judgments are shown, and {total - len(picked):,} are left out here; the "
            "journal has them all."
        )
    if len(material.summary.summaries) > len(material.main):
        yield "Perturbed pictures are not listed."
    without = sum(key_of(judgment) not in verdicts and judgment.label is not None for judgment in picked)
    if without:
        yield f"Of {without:,} of them the words of the paradigms were not kept, only their votes."
    if note:
        yield note


def _row(judgment: Judgment, verdicts: Mapping[Key, dict[str, Any]], thumbnail: Thumbnail | None) -> CaseRow:
    verdict = _verdict(verdicts.get(key_of(judgment)))
    reason = judgment.undecided_because.value.replace("_", " ") if judgment.undecided_because else ""
    whole = judgment.perturbation == "none"
    placed = [sign for sign in verdict.evidence if sign.region] if verdict and whole else []
    return CaseRow(
        case=plain(judgment.case, _NAME),
        arm=plain(judgment.arm, _NAME),
        repeat=judgment.repeat,
        truth=judgment.truth.value if judgment.truth else "no label",
        label=judgment.label.value if judgment.label else "no verdict",
        side=_side(judgment.label),
        because=quote(judgment.error, _TEXT) if judgment.error else reason,
        score="" if judgment.score is None else f"{judgment.score:+.2f}",
        generator=plain(judgment.generator or "", _NAME),
        source=plain(judgment.source or "", _NAME),
        headline=plain(verdict.headline, _TEXT) if verdict else "",
        said=tuple(_reports(verdict) if verdict else _votes(judgment)),
        signs=tuple(placed[:MOST_SIGNS]),
        thumbnail=thumbnail,
    )


def _verdict(kept: dict[str, Any] | None) -> Verdict | None:
    """The kept verdict; None for one that another version wrote, whose votes stand in the judgment anyway."""
    if kept is None:
        return None
    try:
        return Verdict.model_validate(kept)
    except ValidationError:
        return None


def _reports(verdict: Verdict) -> Iterator[Said]:
    reports = (*verdict.reports, verdict.panel) if verdict.panel else verdict.reports
    for report in reports:
        yield Said(
            plain(report.title or report.paradigm, _NAME),
            _ended(report.outcome, report.label, report.score),
            _side(report.label),
            _spoken(report),
            tuple(describe(sign) for sign in report.evidence[:MOST_SIGNS]),
        )


def _spoken(report: Report) -> str:
    words = report.text if report.outcome is Outcome.ANSWERED else report.reason or ""
    return quote(words, _TEXT)


def _votes(judgment: Judgment) -> Iterator[Said]:
    for name, vote in sorted(judgment.everybody.items()):
        yield Said(plain(name, _NAME), _vote(vote), _side(vote.label))


def _vote(vote: Vote) -> str:
    if vote.outcome is Outcome.SKIPPED and vote.cause is not None:
        return f"skipped, {vote.cause.value.replace('_', ' ')}"
    return _ended(vote.outcome, vote.label, vote.score)


def _ended(outcome: Outcome, label: Label | None, score: float | None) -> str:
    if score is not None:
        return f"score {score:.3g}"
    return label.value if label else outcome.value


def _side(label: Label | None) -> str:
    return label.value if label in (Label.GENERATED, Label.REAL) else "neither"
