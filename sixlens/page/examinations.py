"""Examinations as a page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from evals.html.overlay import Side
from fusion.verdict import Verdict
from paradigms.label import Label, Outcome
from paradigms.report import Report
from paradigms.signals.provenance.text import plain
from sixlens.page.clean import Cleaner
from sixlens.words.verdict import eyes, said, says, seconds_text

MAX_WORDS = 2000
"""Characters of what a model wrote that a page shows. The verdict has all of it."""


@dataclass(frozen=True, slots=True)
class Examination:
    """One report, every text clean."""

    title: str
    question: str
    says: str
    """How it came out, in one word."""
    side: Side
    said: str
    """What it says, in a sentence."""
    words: str
    """All of its words; empty when the sentence is all of them."""
    cut: bool
    """Whether there were more words than are shown."""
    looked: str
    """Who answered, and in what time."""
    notes: tuple[str, ...]
    dissents: bool
    panel: bool


def examinations(verdict: Verdict, clean: Cleaner) -> tuple[Examination, ...]:
    """What each examination says, the panel last."""
    dissent = {item.paradigm for item in verdict.dissent}
    reports = [(report, report.paradigm in dissent, False) for report in verdict.reports]
    if verdict.panel is not None:
        reports.append((verdict.panel, False, True))
    return tuple(_examination(report, clean, dissents, panel) for report, dissents, panel in reports)


def _examination(report: Report, clean: Cleaner, dissents: bool, panel: bool) -> Examination:
    sentence = clean.line(said(report))
    answered = report.outcome is Outcome.ANSWERED and report.has_eyes
    words = clean.words(report.text, MAX_WORDS) if answered else ""
    return Examination(
        title=clean.line(report.title, 80),
        question=clean.line(report.question, 300),
        says=says(report),
        side=side_of(report.vote),
        said=sentence,
        words=words if words != sentence else "",
        cut=answered and len(plain(report.text, MAX_WORDS + 1)) > MAX_WORDS,
        looked=_looked(report, clean),
        notes=tuple(clean.line(note, 300) for note in report.notes[:8]),
        dissents=dissents,
        panel=panel,
    )


def side_of(label: Label | None) -> Side:
    """The side that a label is on; neither for one that decides nothing."""
    if label is Label.GENERATED:
        return "generated"
    return "real" if label is Label.REAL else "neither"


def _looked(report: Report, clean: Cleaner) -> str:
    if report.backend is None:
        return ""
    time = f", {seconds_text(report.seconds)}" if report.seconds is not None else ""
    return clean.line(eyes(report.backend, report.model_served or ""), 200) + time
