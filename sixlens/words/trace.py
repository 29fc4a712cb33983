"""What was asked and answered, word for word."""

from __future__ import annotations

from collections.abc import Iterator

from fusion.verdict import Verdict
from paradigms.report import StepRecord, Trace
from paradigms.signals.provenance.text import plain
from sixlens.words.verdict import MAX_TEXT, count


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
        number = f" [{count(pictures, 'picture')}]" if pictures else ""
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
