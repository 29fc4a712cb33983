"""A verdict for a person to read: the label in words, both sides, what each examination said, what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fusion.explanation import calibration_text, describe
from fusion.stability import stability_words
from fusion.verdict import Verdict
from paradigms.label import Label
from paradigms.signals.provenance.text import plain
from sixlens.words.provenance import provenance_lines
from sixlens.words.verdict import MAX_TEXT, dissent_lines, looked_text, said, says, spending_text

_COLOURS = {Label.GENERATED: "bold yellow", Label.REAL: "bold cyan", Label.UNDECIDED: "bold"}
_SIDES = (("generated", "for generated"), ("real", "for a photograph"))


def verdict_text(verdict: Verdict, *, verbose: bool = False) -> RenderableType:
    """The verdict as something that rich wraps to a terminal. Nothing in it is read as markup.

    `verbose` adds the notes on what was spent.
    """
    image = verdict.image
    looked = looked_text(verdict)
    name = Text.assemble((plain(image.name, 120), "bold"), f"  {image.format}, {image.width} × {image.height} pixels")
    parts: list[RenderableType] = [
        name,
        Text(),
        Text(plain(verdict.headline, MAX_TEXT), style=_COLOURS[verdict.label]),
        *([Text(plain(looked, MAX_TEXT))] if looked else []),
        *_section("Calibration", _calibration(verdict)),
        *_section("Strongest evidence", [_evidence(verdict)] if verdict.votes.answered or verdict.evidence else []),
        *_section("Examinations", [_reports(verdict)]),
        *_section("Dissent", _dissent(verdict)),
        *_section("Stability", [Text(stability_words(verdict.stability))] if verdict.stability else []),
        *_section("Provenance", [_bullets(provenance_lines(verdict.provenance, headline=verdict.headline))]),
        *_section("Notes", [_bullets((*image.notes, *verdict.warnings))] if image.notes or verdict.warnings else []),
        *_section("Spent", [Text(spending_text(verdict.usage, verbose=verbose))]),
        *_section("Next", [_bullets(verdict.next_steps)] if verdict.next_steps else []),
    ]
    return Group(*parts)


def _section(title: str, content: Iterable[RenderableType]) -> Iterator[RenderableType]:
    """A title with its indented content; nothing when there is no content."""
    items = list(content)
    if items:
        yield Text()
        yield Text(title, style="bold")
        yield Padding(Group(*items), (0, 0, 0, 2))


def _grid(columns: int) -> Table:
    """A table without lines whose last column takes the room that is left."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(columns - 1):
        table.add_column(no_wrap=False, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    return table


def _calibration(verdict: Verdict) -> list[RenderableType]:
    """The calibrated chance with what was measured of the calibration, if one has set it."""
    if verdict.p_generated is None or verdict.calibration is None:
        return []
    return [Text(plain(calibration_text(verdict.p_generated, verdict.calibration), MAX_TEXT))]


def _evidence(verdict: Verdict) -> RenderableType:
    table = _grid(2)
    for side, words in _SIDES:
        strongest = next((item for item in verdict.evidence if item.points_to == side), None)
        table.add_row(Text(words), Text(plain(describe(strongest), MAX_TEXT) if strongest else "none was named"))
    neither = next((item for item in verdict.evidence if item.points_to is None), None)
    if neither is not None:
        table.add_row(Text("for neither side"), Text(plain(describe(neither), MAX_TEXT)))
    return table


def _reports(verdict: Verdict) -> RenderableType:
    table = _grid(3)
    for report in (*verdict.reports, *((verdict.panel,) if verdict.panel else ())):
        table.add_row(Text(plain(report.title, 80)), Text(says(report)), Text(said(report)))
    return table


def _dissent(verdict: Verdict) -> list[RenderableType]:
    lines = dissent_lines(verdict)
    return [_bullets(lines)] if lines else []


def _bullets(lines: Iterable[str]) -> RenderableType:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=1)
    table.add_column(ratio=1, overflow="fold")
    for line in lines:
        table.add_row(Text("-"), Text(plain(line, MAX_TEXT)))
    return table
