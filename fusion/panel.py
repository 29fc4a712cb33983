"""The panel: a model that reads the reports, looks at the picture and judges, as in the published method."""

from __future__ import annotations

from fusion.decision import Decision, Hearing, undecided
from fusion.verdict import UndecidedBecause
from fusion.vote import tally
from paradigms.evidence import Evidence
from paradigms.label import Cause, Label, Outcome
from paradigms.paradigm import AskStep, Paradigm, Prompt
from paradigms.render import Renderer
from paradigms.report import Report
from paradigms.signals.provenance.text import plain

NAME = "panel"
MAX_REASONING = 4000
MAX_SIGN = 700
"""Characters of a report's reasoning, and of one of its signs, that the panel reads."""


async def panel(reports: tuple[Report, ...], hearing: Hearing) -> Decision:
    """The panel alone decides (arXiv 2504.14245)."""
    if not any(report.has_eyes for report in reports):
        # Nothing to combine: its question would be a seventh examination.
        return await tally(reports, hearing)
    judgement = await hearing.panel()
    if judgement is None or judgement.label is None:
        reason = (judgement.reason or judgement.outcome.value) if judgement else "no backend is attached to it"
        starved = judgement is not None and judgement.cause is Cause.BUDGET
        because = UndecidedBecause.BUDGET if starved else UndecidedBecause.BELOW_QUORUM
        return undecided(because, judgement, (f"The panel gave no judgement: {reason.rstrip('.')}.",))
    if judgement.label is Label.UNDECIDED:
        return undecided(UndecidedBecause.WEAK, judgement)
    return Decision(judgement.label, panel=judgement)


def panel_paradigm(prompt: Prompt, version: str) -> Paradigm:
    """The panel's question as a paradigm of one step, so that it is asked and read like any other."""
    return Paradigm(
        name=NAME,
        version=version,
        title="Panel",
        question="Given all examinations and the picture: real or generated?",
        steps=(AskStep(name="verdict", ask="verdict", paper=prompt.paper, shared=prompt.shared),),
    )


def panel_variables(reports: tuple[Report, ...], provenance: str, renderer: Renderer) -> dict[str, object]:
    """What the panel's prompt may use: the answers as data, who gave none, and the file's own statement or ''."""
    heard = [report for report in reports if report.outcome is Outcome.ANSWERED]
    missing = [f"{item.title} ({item.outcome.value})" for item in reports if item.outcome is not Outcome.ANSWERED]
    return {
        "answers": tuple(
            {
                "title": report.title,
                "question": report.question,
                "text": renderer.model_text(report.paradigm, statement(report)),
            }
            for report in heard
        ),
        "unanswered": ", ".join(missing),
        "provenance": renderer.model_text("file statement", provenance) if provenance else "",
    }


def statement(report: Report) -> str:
    """A report in words, as the panel reads it."""
    result = report.label.value if report.has_eyes and report.label else "measured only"
    signs = [plain(_line(item), MAX_SIGN) for item in report.evidence]
    return "\n".join([f"Result: {result}. {report.text[:MAX_REASONING]}", *signs])


def _line(item: Evidence) -> str:
    strength = f", severity {item.severity} of 5" if item.severity else ""
    side = f" points to {item.points_to}" if item.points_to else " points to neither side"
    cause = f" Ordinary cause: {item.ordinary_cause}" if item.ordinary_cause else ""
    return f"- {item.name}:{side}{strength}. {item.phenomenon} {item.reasoning}{cause}".rstrip()
