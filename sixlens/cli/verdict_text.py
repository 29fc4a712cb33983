"""A verdict for a person to read: the label in words, both sides, what each examination said, what to do next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fusion.explanation import NO_REASON, describe, quote
from fusion.verdict import Spending, Verdict
from paradigms.label import Cause, Label, Outcome
from paradigms.report import Report, StepRecord, Trace
from paradigms.signals.provenance.text import plain
from sixlens.cli.provenance_text import provenance_lines

MAX_SENTENCE = 220
MAX_TEXT = 1000

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
        *_section("Strongest evidence", [_evidence(verdict)] if verdict.votes.answered or verdict.evidence else []),
        *_section("Examinations", [_reports(verdict)]),
        *_section("Dissent", _dissent(verdict)),
        *_section("Provenance", [_bullets(provenance_lines(verdict.provenance, headline=verdict.headline))]),
        *_section("Notes", [_bullets((*image.notes, *verdict.warnings))] if image.notes or verdict.warnings else []),
        *_section("Spent", [Text(spending_text(verdict.usage, verbose=verbose))]),
        *_section("Next", [_bullets(verdict.next_steps)] if verdict.next_steps else []),
    ]
    return Group(*parts)


def trace_text(verdict: Verdict) -> str:
    """Every prompt and answer of a verdict, word for word but for what a terminal could obey.

    Lines are left as they are: prompts are wrapped already. A system text that several questions share is shown once.
    """
    lines: list[str] = []
    shown: dict[str, str] = {}
    reports = (*verdict.reports, *((verdict.panel,) if verdict.panel else ()))
    steps = [("prepare", step) for step in verdict.preparation]
    steps += [(report.paradigm, step) for report in reports for step in report.steps]
    for paradigm, step in steps:
        if step.trace is not None:
            name = f"{paradigm}, {step.name}"
            lines += ["", plain(name, 120), *_asked(step.trace, shown, name), *_answered(step, step.trace)]
    return "".join(f"{line}\n" for line in lines)


def _asked(trace: Trace, shown: dict[str, str], name: str) -> Iterator[str]:
    """The turns of one question; `shown` holds the system texts so far, with where they stand."""
    for message in trace.messages:
        pictures = len(message.pictures)
        number = f" [{_count(pictures, 'picture')}]" if pictures else ""
        first = shown.setdefault(message.text, name) if message.role == "system" else name
        yield f"{message.role}{number}:" if first == name else f"{message.role}: as in {first}"
        if first == name:
            yield from _indented(message.text)


def _answered(step: StepRecord, trace: Trace) -> Iterator[str]:
    if step.error is not None:
        yield f"no answer: {plain(step.error, MAX_TEXT)}"
        return
    yield "answer:"
    yield from _indented(trace.answer)


def _indented(text: str) -> Iterator[str]:
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip(" "))
        yield f"  {' ' * min(indent, 40)}{plain(line, 8000)}".rstrip()


def looked_text(verdict: Verdict) -> str:
    """Who looked, and how often, so that several answers of one model are not taken for several witnesses."""
    seeing = [report for report in verdict.reports if report.has_eyes]
    counts = Counter(_eyes(report.backend or "", report.model_served or "") for report in seeing)
    if len(counts) == 1:
        return f"Looked: {next(iter(counts))}; one model in {_count(len(seeing), 'examination')}."
    several = ", ".join(f"{name} ({_count(number, 'examination')})" for name, number in counts.items())
    return f"Looked: {several}." if several else ""


def _eyes(backend: str, model: str) -> str:
    """A backend, with the model that answered where the backend's name does not tell."""
    return backend if not model or model in backend else f"{backend} (served: {model})"


def spending_text(usage: Spending, *, verbose: bool = False) -> str:
    """What was spent, in words; `verbose` adds the notes on it."""
    seconds = f"{usage.seconds:.1f} s" if usage.seconds >= 0.1 else f"{usage.seconds * 1000:.0f} ms"
    if not usage.calls and not usage.attempts and not usage.cache_hits:
        return f"no calls; {seconds}"
    parts = [_count(usage.calls, "call")]
    if usage.cache_hits:
        parts.append(f"{_count(usage.cache_hits, 'answer')} out of the cache")
    if usage.attempts > usage.calls:
        parts.append(f"{_count(usage.attempts - usage.calls, 'attempt')} without an answer")
    parts += [_tokens(usage), "cost unknown" if usage.cost is None else f"${usage.cost:.4f}"] if usage.calls else []
    return "; ".join([*parts, seconds, *(usage.notes if verbose else ())])


def says(report: Report) -> str:
    """How an examination came out, in one word."""
    if report.outcome is not Outcome.ANSWERED or report.label is None:
        return report.outcome.value
    return report.label.value if report.has_eyes else "measured"


def first_sentence(text: str, limit: int = MAX_SENTENCE) -> str:
    """The first sentence of what a model wrote that can be said to people, in one harmless line."""
    line = quote(text, 4 * limit)
    end = re.search(r"[.!?。！？](?=\s|$)", line)
    return plain(line[: end.end()] if end else line, limit)


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
        table.add_row(Text(plain(report.title, 80)), Text(says(report)), Text(_said(report)))
    return table


def _said(report: Report) -> str:
    """What an examination says, or why it says nothing, in a sentence; a measurement with all its reservations."""
    if report.cause is Cause.NO_EYES:
        return "not done: needs a vision model"
    if report.outcome is not Outcome.ANSWERED:
        return first_sentence(report.reason or "")
    return (first_sentence(report.text) or NO_REASON) if report.has_eyes else plain(report.text, MAX_TEXT)


def _dissent(verdict: Verdict) -> list[RenderableType]:
    titles = {report.paradigm: report.title for report in verdict.reports}
    lines = [
        f"{titles.get(item.paradigm, item.paradigm)} says {item.label.value}: {item.reason}" for item in verdict.dissent
    ]
    return [_bullets(lines)] if lines else []


def _bullets(lines: Iterable[str]) -> RenderableType:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=1)
    table.add_column(ratio=1, overflow="fold")
    for line in lines:
        table.add_row(Text("-"), Text(plain(line, MAX_TEXT)))
    return table


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _tokens(usage: Spending) -> str:
    tokens = usage.tokens
    if tokens.input_tokens is None and tokens.output_tokens is None:
        return "tokens unknown"
    cached = f" ({tokens.cached_tokens:,} of them cached)" if tokens.cached_tokens else ""
    return f"{_number(tokens.input_tokens)} tokens in{cached} and {_number(tokens.output_tokens)} out"


def _number(tokens: int | None) -> str:
    return "an unknown number of" if tokens is None else f"{tokens:,}"
