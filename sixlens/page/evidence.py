"""Evidence as a page shows it: both sides, numbered where it stands on the picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from evals.html.overlay import Mark, Side
from fusion.explanation import ordinary_cause
from fusion.verdict import Verdict
from paradigms.evidence import Evidence
from paradigms.region import RegionSource
from sixlens.page.clean import Cleaner

MOST = 30
"""Pieces of evidence a side that are shown. The verdict has all of them."""
MAX_WORDS = 600

_DRAWN_BY = {
    RegionSource.MODEL: "where the model pointed",
    RegionSource.PROPOSAL: "the part that was shown up close",
    RegionSource.MEASURED: "where it was measured",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One piece of evidence, every text clean."""

    number: int | None
    """Of its region; None when it has none."""
    side: Side
    name: str
    place: str
    """Where, in words; empty without a region."""
    drawn_by: str
    phenomenon: str
    reasoning: str
    ordinary: str
    """An ordinary cause that could also have left it; empty when none was named."""
    severity: int | None
    examination: str
    """The title of the examination that reported it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """All evidence of a verdict, strongest first."""

    generated: tuple[Shown, ...]
    real: tuple[Shown, ...]
    neither: tuple[Shown, ...]
    marks: tuple[Mark, ...]
    left_out: int
    """Pieces for which there is no room."""

    @property
    def any(self) -> bool:
        """Whether there is evidence at all."""
        return bool(self.generated or self.real or self.neither)


def see(verdict: Verdict, clean: Cleaner, *, drawn: bool) -> Seen:
    """The evidence of a verdict, at most 30 pieces a side; regions are numbered in the order of strength.

    They are not when there is no picture that they are `drawn` on.
    """
    numbers = count(1)
    titles = {report.paradigm: report.title for report in verdict.reports}
    room: dict[Side, list[Shown]] = {"generated": [], "real": [], "neither": []}
    marks: list[Mark] = []
    for item in verdict.evidence:
        side: Side = item.points_to or "neither"
        if len(room[side]) == MOST:
            continue
        number = next(numbers) if drawn and item.region is not None else None
        shown = _shown(item, number, clean, titles)
        room[side].append(shown)
        marks += _mark(item, shown)
    shown_now = sum(map(len, room.values()))
    return Seen(
        tuple(room["generated"]),
        tuple(room["real"]),
        tuple(room["neither"]),
        tuple(marks),
        len(verdict.evidence) - shown_now,
    )


def _shown(item: Evidence, number: int | None, clean: Cleaner, titles: dict[str, str]) -> Shown:
    return Shown(
        number=number,
        side=item.points_to or "neither",
        name=clean.words(item.name, 120) or "a sign",
        place=item.region.place if item.region is not None else "",
        drawn_by=_DRAWN_BY[item.region_source] if item.region_source is not None else "",
        phenomenon=clean.words(item.phenomenon, MAX_WORDS),
        reasoning=clean.words(item.reasoning, MAX_WORDS),
        ordinary=clean.line(ordinary_cause(item, 300), 300),
        severity=item.severity,
        examination=clean.line(titles.get(item.paradigm, item.paradigm), 80),
    )


def _mark(item: Evidence, shown: Shown) -> Iterable[Mark]:
    if item.region is None or shown.number is None:
        return
    region = item.region
    label = f"{shown.name}, {shown.place}. To its evidence."
    yield Mark(shown.number, (region.x0, region.y0, region.x1, region.y1), shown.side, label)
