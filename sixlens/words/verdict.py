"""A verdict in words for people: who looked, how each examination came out, who disagrees, what it took."""

from __future__ import annotations

import re
from collections import Counter

from fusion.explanation import NO_REASON, quote
from fusion.verdict import Spending, Verdict
from paradigms.label import Cause, Outcome
from paradigms.report import Report
from paradigms.signals.provenance.text import plain

MAX_SENTENCE = 220
MAX_TEXT = 1000


def looked_text(verdict: Verdict) -> str:
    """Who looked, and how often, so that several answers of one model are not taken for several witnesses."""
    seeing = [report for report in verdict.reports if report.has_eyes]
    counts = Counter(eyes(report.backend or "", report.model_served or "") for report in seeing)
    if len(counts) == 1:
        return f"Looked: {next(iter(counts))}; one model in {count(len(seeing), 'examination')}."
    several = ", ".join(f"{name} ({count(number, 'examination')})" for name, number in counts.items())
    return f"Looked: {several}." if several else ""


def eyes(backend: str, model: str) -> str:
    """A backend, with the model that answered where the backend's name does not tell."""
    return backend if not model or model in backend else f"{backend} (served: {model})"


def spending_text(usage: Spending, *, verbose: bool = False) -> str:
    """What was spent, in words; `verbose` adds the notes on it."""
    seconds = seconds_text(usage.seconds)
    if not usage.calls and not usage.attempts and not usage.cache_hits:
        return f"no calls; {seconds}"
    parts = [count(usage.calls, "call")]
    if usage.cache_hits:
        parts.append(f"{count(usage.cache_hits, 'answer')} out of the cache")
    if usage.attempts > usage.calls:
        parts.append(f"{count(usage.attempts - usage.calls, 'attempt')} without an answer")
    parts += [_tokens(usage), "cost unknown" if usage.cost is None else f"${usage.cost:.4f}"] if usage.calls else []
    return "; ".join([*parts, seconds, *(usage.notes if verbose else ())])


def seconds_text(seconds: float) -> str:
    """A time in words; short ones in milliseconds."""
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{seconds * 1000:.0f} ms"


def says(report: Report) -> str:
    """How an examination came out, in one word."""
    if report.outcome is not Outcome.ANSWERED or report.label is None:
        return "unreadable" if report.outcome is Outcome.UNPARSED else report.outcome.value
    if report.kind == "score":
        return "score"
    return report.label.value if report.has_eyes else "measured"


def first_sentence(text: str, limit: int = MAX_SENTENCE) -> str:
    """The first sentence of what a model wrote that can be said to people, in one harmless line."""
    line = quote(text, 4 * limit)
    end = re.search(r"[.!?。！？](?=\s|$)", line)
    return plain(line[: end.end()] if end else line, limit)


def said(report: Report) -> str:
    """What an examination says, or why it says nothing, in a sentence; a measurement with all its reservations."""
    if report.cause is Cause.NO_EYES:
        return "not done: needs a vision model"
    if report.outcome is not Outcome.ANSWERED:
        return first_sentence(report.reason or "")
    return (first_sentence(report.text) or NO_REASON) if report.has_eyes else plain(report.text, MAX_TEXT)


def dissent_lines(verdict: Verdict) -> list[str]:
    """Who came out against the verdict, and why; untrusted text, not yet bounded."""
    titles = {report.paradigm: report.title for report in verdict.reports}
    return [
        f"{titles.get(item.paradigm, item.paradigm)} says {item.label.value}: {item.reason}" for item in verdict.dissent
    ]


def count(number: int, noun: str) -> str:
    """So many of something, in words."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _tokens(usage: Spending) -> str:
    tokens = usage.tokens
    if tokens.input_tokens is None and tokens.output_tokens is None:
        return "tokens unknown"
    cached = f" ({tokens.cached_tokens:,} of them cached)" if tokens.cached_tokens else ""
    return f"{_number(tokens.input_tokens)} tokens in{cached} and {_number(tokens.output_tokens)} out"


def _number(tokens: int | None) -> str:
    return "an unknown number of" if tokens is None else f"{tokens:,}"
