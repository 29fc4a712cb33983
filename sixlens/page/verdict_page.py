"""One verdict as one self-contained page."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from evals.html import base_css, data_uri, overlay_css, page_environment, policy
from evals.html.style import Style
from fusion.stability import stability_words
from fusion.verdict import Verdict
from sixlens.page.clean import Cleaner
from sixlens.page.decision import PersonDecision
from sixlens.page.evidence import see
from sixlens.page.examinations import examinations
from sixlens.page.record import Facts, delivery_facts, private_facts, record_facts, spending_facts
from sixlens.words.base_rate import worth
from sixlens.words.labels import IF_YOURS, LIMITS, NONE_NAMED, SIDES, WHERE_TO_LOOK, label_title, not_meant
from sixlens.words.provenance import provenance_lines, provenance_state
from sixlens.words.trace import trace_text
from sixlens.words.verdict import MAX_TEXT, dissent_lines, looked_text

FOLDER = Path(__file__).parent
TEMPLATES = FOLDER / "templates"
_MADE_BY, _FOOTER = b"Made by sixlens, version ", 2000
"""What stands at the end of a page, within so many bytes."""
MAX_TRACE = 400_000
"""Characters of prompts and answers in a page that shows them."""


def verdict_page(
    verdict: Verdict,
    picture: bytes | None,
    *,
    include_private: bool = False,
    decision: PersonDecision | None = None,
    superseded_by: str | None = None,
) -> str:
    """A whole HTML document about one verdict: offline, without scripts, for screens and paper.

    Args:
        verdict: what is shown. Everything in it may come from strangers.
        picture: what `page_picture` made, or another encoded JPEG, PNG or WebP without metadata; None for no picture.
        include_private: show the local path, the private statements of the file, and prompts and answers if there
            are any.
        decision: what a person decided, to be shown beside the verdict.
        superseded_by: the id of the judgment that stands in the place of this one; None if there is none.

    Raises:
        ValueError: the picture is of another kind.
    """
    clean = Cleaner.of(verdict, include_private=include_private)
    verdict = clean.verdict(verdict)
    seen = see(verdict, clean, drawn=picture is not None)
    style = Style(f"{base_css()}{verdict_css()}{overlay_css(seen.marks)}\n")
    template = page_environment(TEMPLATES).get_template("verdict.html")
    return template.render(
        style=style,
        policy=policy(style),
        picture=None if picture is None else data_uri(picture),
        verdict=verdict,
        name=clean.line(verdict.image.name, 120),
        title=label_title(verdict),
        headline=clean.line(verdict.headline, MAX_TEXT),
        looked=clean.line(looked_text(verdict), MAX_TEXT),
        not_meant=not_meant(verdict),
        decision=None if decision is None else _decided(decision, clean),
        superseded_by=superseded_by,
        seen=seen,
        sides=SIDES,
        none_named=NONE_NAMED,
        examinations=examinations(verdict, clean),
        dissent=[clean.line(line) for line in dissent_lines(verdict)],
        stability=None if verdict.stability is None else clean.line(stability_words(verdict.stability)),
        provenance=provenance_state(verdict.provenance),
        statements=_statements(verdict, clean),
        notes=[clean.line(note) for note in (*verdict.image.notes, *verdict.warnings)],
        worth=worth(verdict.calibration),
        explanation=[clean.line(line, 2 * MAX_TEXT) for line in verdict.explanation.splitlines()],
        next_steps=[clean.line(step) for step in verdict.next_steps],
        where_to_look=WHERE_TO_LOOK,
        if_yours=IF_YOURS,
        limits=LIMITS,
        facts=_facts(verdict, clean),
        version=clean.line(verdict.versions.get("sixlens", "unknown"), 40),
        private=private_facts(verdict, clean) if include_private else [],
        trace=_trace(verdict) if include_private else "",
    )


def is_page(data: bytes) -> bool:
    """Whether `verdict_page` made this file, whichever its version."""
    return data.startswith(b"<!doctype html>") and _MADE_BY in data[-_FOOTER:]


def verdict_css() -> str:
    """What a verdict needs beside the style that all pages share."""
    return (FOLDER / "verdict.css").read_text("utf-8")


def _decided(decision: PersonDecision, clean: Cleaner) -> dict[str, str]:
    by = f" by {clean.line(decision.reviewer, 200)}" if decision.reviewer else ""
    return {
        "words": decision.words,
        "when": f"Decided{by} on {decision.at.astimezone(UTC).strftime('%d %B %Y, %H:%M UTC')}.",
        "note": clean.line(decision.note, 4000),
    }


def _statements(verdict: Verdict, clean: Cleaner) -> list[str]:
    lines = provenance_lines(verdict.provenance, elsewhere="the verdict as JSON lists them")
    return [clean.line(line) for line in lines]


def _facts(verdict: Verdict, clean: Cleaner) -> dict[str, Facts]:
    return {
        "delivery": delivery_facts(verdict, clean),
        "spending": spending_facts(verdict, clean),
        "record": record_facts(verdict, clean),
    }


def _trace(verdict: Verdict) -> str:
    text = trace_text(verdict)
    return text if len(text) <= MAX_TRACE else f"{text[:MAX_TRACE]}…"
