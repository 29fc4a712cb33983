"""The verdict in words for people: fixed wordings, and only what the reports say."""

from __future__ import annotations

from fusion.declaration import Ruling, statement
from fusion.verdict import Basis, Dissent, UndecidedBecause, Votes
from paradigms.evidence import Evidence
from paradigms.label import Label, Outcome
from paradigms.report import Report
from paradigms.signals.provenance import Declaration, Provenance

LIMITS = "An estimate, not proof; it says nothing about who made or posted the picture."
ANYONE = "Anyone can write that into a file."

_UNDECIDED = {
    UndecidedBecause.NO_EYES: "Nobody has looked yet (no model attached).",
    UndecidedBecause.CONFLICT: "Undecided: there is weight on both sides.",
    UndecidedBecause.WEAK: "Undecided: what was found is not enough for either side.",
    UndecidedBecause.BELOW_QUORUM: "Undecided: too few examinations came to a label.",
    UndecidedBecause.UNSTABLE: "Undecided: mild variants of the picture are judged differently.",
    UndecidedBecause.NOT_A_PHOTOGRAPH: "Undecided: the picture does not present itself as a photograph.",
    UndecidedBecause.AI_EDITED: "Undecided: the file declares an edit with AI, or that AI worked on another picture.",
    UndecidedBecause.BUDGET: "Undecided: the budget was spent before enough examinations were made.",
}


def headline(ruling: Ruling, votes: Votes, provenance: Provenance) -> str:
    """The label in words, with what it does not mean."""
    decision = ruling.decision
    declared = ruling.basis in (Basis.DECLARED_SIGNED, Basis.DECLARED_UNSIGNED)
    if declared and decision.label is Label.GENERATED:
        return f"{statement(provenance)} {_unlooked(votes)} {_weight(ruling)}"
    if declared and decision.undecided_because is UndecidedBecause.CONFLICT:
        return (
            "Undecided: the file declares, unsigned, that it was generated, and also carries a camera's data. "
            "One of the two was written by hand; the file cannot tell which."
        )
    if declared:
        return f"{_UNDECIDED[UndecidedBecause.AI_EDITED]} {_weight(ruling)}"
    if decision.label is Label.GENERATED:
        return f"Reads as generated in {votes.generated} of {votes.answered} examinations. {LIMITS}"
    if decision.label is Label.REAL:
        return f"No signs of generation found in {votes.real} of {votes.answered} examinations. {LIMITS}"
    return _undecided(decision.undecided_because, votes, provenance)


def _weight(ruling: Ruling) -> str:
    if ruling.basis is Basis.DECLARED_SIGNED:
        return "The statement is signed; whether the signer can be trusted is said under provenance."
    return ANYONE


def _unlooked(votes: Votes) -> str:
    if votes.answered:
        return f"Apart from that, {votes.generated} of {votes.answered} examinations read the picture as generated."
    return "The pixels were not judged."


def _undecided(because: UndecidedBecause | None, votes: Votes, provenance: Provenance) -> str:
    assert because is not None
    text = _UNDECIDED[because]
    if because is UndecidedBecause.NO_EYES and provenance.declaration is Declaration.CAMERA_FILE:
        return f"{text} The file leans towards a camera: {ANYONE[0].lower()}{ANYONE[1:]}"
    if votes.answered and because is not UndecidedBecause.NO_EYES:
        sides = f"{votes.generated} of {votes.answered} examinations read it as generated, {votes.real} as real"
        return f"{text} {sides[0].upper()}{sides[1:]}."
    return text


def explain(
    ruling: Ruling, said: str, evidence: tuple[Evidence, ...], dissent: tuple[Dissent, ...], reports: tuple[Report, ...]
) -> str:
    """The headline, the panel's words, the strongest evidence of either side, and who dissents."""
    lines = [said]
    panel = ruling.decision.panel
    if panel is not None and panel.outcome is Outcome.ANSWERED and panel.text:
        lines.append(f"The panel says: {_short(panel.text, 700)}")
    for side in ("generated", "real"):
        strongest = next((item for item in evidence if item.points_to == side), None)
        if strongest is not None:
            lines.append(f"Strongest sign of a {_NOUN[side]}: {describe(strongest)}")
        elif any(report.has_eyes for report in reports):
            lines.append(f"No examination named a sign of a {_NOUN[side]}.")
    if dissent:
        lines.append("Dissent: " + "; ".join(f"{item.paradigm} says {item.label.value}" for item in dissent) + ".")
    return "\n".join(lines)


_NOUN = {"generated": "generated picture", "real": "photograph"}


def describe(item: Evidence) -> str:
    """One piece of evidence in a sentence or two, with the ordinary cause that could also have left it."""
    strength = f", severity {item.severity} of 5" if item.severity else ""
    phenomenon = f": {_short(item.phenomenon, 240)}" if item.phenomenon else ""
    cause = f" (an ordinary cause could be: {_short(item.ordinary_cause, 160)})" if item.ordinary_cause else ""
    return f"{item.name}{phenomenon} [{item.paradigm}{strength}]{cause}"


def _short(text: str, length: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 1].rstrip() + "…"


def rank(reports: tuple[Report, ...]) -> tuple[Evidence, ...]:
    """All evidence, the severest first; at equal severity what stands in a region, then in the order of the reports."""
    found = [item for report in reports for item in report.evidence]
    return tuple(sorted(found, key=lambda item: (-(item.severity or 0), item.region is None)))


def dissenters(label: Label, reports: tuple[Report, ...]) -> tuple[Dissent, ...]:
    """The examinations that came out for the other side; for an undecided verdict the smaller side."""
    against = {Label.GENERATED: Label.REAL, Label.REAL: Label.GENERATED}.get(label)
    if against is None:
        sides = [report.vote for report in reports if report.vote is not None]
        if len(set(sides)) < 2:
            return ()
        against = min(set(sides), key=lambda side: (sides.count(side), side))
    return tuple(
        Dissent(paradigm=report.paradigm, label=against, reason=_point(report, against))
        for report in reports
        if report.vote is against
    )


def _point(report: Report, side: Label) -> str:
    """The strongest point of a report for a side, or the beginning of its reasoning."""
    own = [item for item in report.evidence if item.points_to == side.value]
    strongest = max(own, key=lambda item: item.severity or 0, default=None)
    return describe(strongest) if strongest is not None else _short(report.text, 240)


def next_steps(ruling: Ruling) -> tuple[str, ...]:
    """What a person can do next."""
    steps = ["Look for the original file, earlier copies and other pictures of the same scene."]
    if ruling.decision.label is Label.GENERATED:
        steps.append("Before anybody is accused, have a person look at the evidence and ask whoever took the picture.")
    if ruling.decision.label is Label.REAL:
        steps.append("That no sign was found is no proof of a photograph: generated pictures can look flawless.")
    if ruling.decision.label is Label.UNDECIDED and ruling.decision.undecided_because is not UndecidedBecause.NO_EYES:
        steps.append("Let a person decide, with the evidence of both sides at hand.")
    return tuple(steps)
