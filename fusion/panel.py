"""The panel: a model that reads the reports, looks at the picture and judges, as in the published method."""

from __future__ import annotations

from fusion.decision import Decision, Hearing, nobody_looked, undecided
from fusion.verdict import UndecidedBecause
from paradigms.evidence import Evidence
from paradigms.label import Label, Outcome
from paradigms.paradigm import AskStep, Paradigm, Prompt
from paradigms.render import Renderer
from paradigms.report import Report

NAME = "panel"


async def panel(reports: tuple[Report, ...], hearing: Hearing) -> Decision:
    """The panel alone decides (arXiv 2504.14245)."""
    nobody = nobody_looked(reports)
    if nobody is not None:
        return undecided(nobody)
    judgement = await hearing.panel()
    if judgement is None or judgement.outcome is not Outcome.ANSWERED or judgement.label is None:
        reason = judgement.reason if judgement else "no backend is attached to it"
        warning = f"The panel gave no judgement: {reason}."
        return undecided(UndecidedBecause.BELOW_QUORUM, judgement, (warning,))
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
    missing = [f"{report.title} ({report.outcome.value})" for report in reports if report not in heard]
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
    lines = [f"Result: {report.label.value if report.has_eyes and report.label else 'measured only'}. {report.text}"]
    return "\n".join(lines + [_line(item) for item in report.evidence])


def _line(item: Evidence) -> str:
    strength = f", severity {item.severity} of 5" if item.severity else ""
    side = f" points to {item.points_to}" if item.points_to else " points to neither side"
    cause = f" Ordinary cause: {item.ordinary_cause}" if item.ordinary_cause else ""
    return f"- {item.name}:{side}{strength}. {item.phenomenon} {item.reasoning}{cause}".rstrip()
