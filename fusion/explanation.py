"""The verdict in words for people: fixed wordings, and only what the reports say."""

from __future__ import annotations

import re
from collections import Counter

from backends.completion import Stop
from fusion.declaration import Ruling, rests_on_graph, statement
from fusion.verdict import Basis, CalibrationNote, Dissent, UndecidedBecause, Votes
from paradigms.evidence import Evidence
from paradigms.label import Cause, Label, Outcome
from paradigms.report import Report
from paradigms.signals.provenance import Declaration, Provenance, Trust
from paradigms.signals.provenance.software import generator_named
from paradigms.signals.provenance.text import plain

LIMITS = "An estimate, not proof; it says nothing about who made or posted the picture."
ANYONE = "Anyone can write that into a file."
LEANS_CAMERA = "The file carries a camera's data, which leans towards a photograph; anyone can write such data."

_UNDECIDED = {
    UndecidedBecause.CONFLICT: "Undecided: there is weight on both sides.",
    UndecidedBecause.WEAK: "Undecided: what was found is not enough for either side.",
    UndecidedBecause.BELOW_QUORUM: "Undecided: too few examinations came to a label.",
    UndecidedBecause.UNSTABLE: "Undecided: mild variants of the picture are judged differently.",
    UndecidedBecause.NOT_A_PHOTOGRAPH: "Undecided: the picture does not present itself as a photograph.",
    UndecidedBecause.BUDGET: "Undecided: the budget was spent before enough examinations were made.",
}
_SIGNER = {
    Trust.TRUSTED: "Its signer is on a list of trusted signers.",
    Trust.EXPIRED: "Its signer's certificate has expired.",
    Trust.UNTRUSTED: "Its signer's certificate was revoked or breaks the rules for signing.",
}
_NOBODY_VOUCHES = "Nothing vouches for its signer: anyone can make such a signature."
_NOUN = {Label.GENERATED: "generated picture", Label.REAL: "photograph", Label.UNDECIDED: "undecided"}
_SIDES = (Label.GENERATED, Label.REAL)
_ENDED = {
    Outcome.REFUSED: "refused",
    Outcome.UNPARSED: "unreadable",
    Outcome.FAILED: "failed",
    Outcome.SKIPPED: "skipped",
}
NO_REASON = "It gave no reasons."
_PER_CENT = re.compile(r"\d\s*%|(?:\b|\d)per ?cent\b", re.IGNORECASE)
_WORDS = (
    (r"deep ?fakes?", "generated picture"),
    (r"fak(?:e|es|ed)|forged", "generated"),
    (r"an authentic", "a genuine"),
    (r"authentic", "genuine"),
    (r"authenticity", "genuineness"),
    (r"verified", "checked"),
    (r"verify", "check"),
    (r"verifies", "checks"),
    (r"verification", "checking"),
    (r"detected", "seen"),
    (r"detects?", "shows"),
    (r"detection", "finding"),
    (r"falsified", "made up"),
    (r"confirmed", "supported"),
    (r"confirms?", "supports"),
)
"""What models say, and what is said to people in its place: these words claim more than an estimate can."""


def headline(ruling: Ruling, votes: Votes, provenance: Provenance, reports: tuple[Report, ...]) -> str:
    """The label in words, with what it does not mean. `reports` are what `votes` were counted from."""
    decision = ruling.decision
    if ruling.basis in (Basis.DECLARED_SIGNED, Basis.DECLARED_UNSIGNED):
        return _declared(ruling, votes, provenance)
    if decision.label is Label.UNDECIDED:
        return _undecided(ruling, votes, provenance, reports)
    return f"{_read_as(ruling, votes, reports)} {LIMITS}"


def _declared(ruling: Ruling, votes: Votes, provenance: Provenance) -> str:
    looked = "The pixels were not judged."
    what = "went through ComfyUI" if rests_on_graph(provenance) else "was generated"
    if votes.answered:
        looked = f"Apart from that, {votes.generated} of {votes.answered} examinations read the picture as generated."
    if ruling.decision.undecided_because is UndecidedBecause.CONFLICT and not provenance.camera:
        return (
            f"Undecided: the file declares, unsigned, that it {what}, but {votes.real} of {votes.answered} "
            f"examinations read it as a photograph. {ANYONE}"
        )
    if ruling.decision.undecided_because is UndecidedBecause.CONFLICT:
        return (
            f"Undecided: the file declares, unsigned, that it {what}, and also carries a camera's data. The file "
            f"alone does not say which of them is right. {looked}"
        )
    weight = ANYONE
    if ruling.basis is Basis.DECLARED_SIGNED:
        trust = provenance.signature.trust
        weight = _SIGNER.get(trust, _NOBODY_VOUCHES) if trust else _NOBODY_VOUCHES
    before = "Undecided: " if ruling.decision.label is Label.UNDECIDED else ""
    said = statement(provenance)
    return f"{before}{said[0].lower() + said[1:] if before else said} {looked} {weight}"


def _read_as(ruling: Ruling, votes: Votes, reports: tuple[Report, ...]) -> str:
    """What the picture reads as, in how many examinations."""
    label, panel = ruling.decision.label, ruling.decision.panel
    asked = _asked(reports)
    if ruling.decision.calibration is not None:
        return _weighed(ruling, votes, reports)
    (agreeing, reads), (opposing, other) = (votes.generated, "generated"), (votes.real, "a photograph")
    if label is Label.REAL:
        (agreeing, reads), (opposing, other) = (opposing, other), (agreeing, reads)
    of_all = f"{agreeing} of {asked} examinations{_besides(label, votes, reports)}"
    against = f"although {opposing} of {asked} read it as {other}"
    if panel is not None and panel.label is label and 2 * agreeing <= votes.answered:
        agrees = f"and so do {of_all}" if agreeing else "although no examination does"
        return f"The panel reads the picture as {reads}, {against if opposing > agreeing else agrees}."
    if opposing >= agreeing:
        return f"Reads as {reads} in {agreeing} of {asked} examinations, {against}."
    if label is Label.GENERATED:
        return f"Reads as generated in {of_all}."
    if signs_named(reports):
        fate = "were outvoted" if opposing else "turned none of them"
        return f"Reads as a photograph in {of_all}; the signs of generation that were named {fate}."
    return f"No signs of generation found in {of_all}."


def _weighed(ruling: Ruling, votes: Votes, reports: tuple[Report, ...]) -> str:
    """What the picture reads as when a calibration has weighed the examinations and scores."""
    reads = "generated" if ruling.decision.label is Label.GENERATED else "a photograph"
    scores = sum(report.score is not None for report in reports)
    counted = f"{votes.generated} of {_asked(reports)} say generated, {votes.real} real" if votes.answered else ""
    also = f"{scores} score{'' if scores == 1 else 's'}" if scores else ""
    return f"Weighed by a calibration, the picture reads as {reads} ({' and '.join(filter(None, (counted, also)))})."


def calibration_text(p_generated: float, note: CalibrationNote) -> str:
    """The chance that a calibration gives, with what was measured of it, so that nobody reads it bare."""
    false, missed = note.false_positive_interval, note.miss_interval
    return (
        f"By the calibration {plain(note.name, 80)} the chance that the picture is generated is "
        f"{_chance(p_generated)}, if {_of_100(note.prior)} of 100 pictures are. On {note.n} cases "
        f"({plain(note.data, 120)}), held out in turn, it called {_of_100(note.false_positive_rate)} of 100 "
        f"photographs generated (interval {_of_100(false[0])} to {_of_100(false[1])}) and {_of_100(note.miss_rate)} of "
        f"100 generated pictures photographs (interval {_of_100(missed[0])} to {_of_100(missed[1])}); pictures of "
        "another kind may fare worse."
    )


def _chance(p_generated: float) -> str:
    """A chance to two digits, and never as a certainty."""
    said = f"{p_generated:.2f}"
    return {"0.00": "below 0.01", "1.00": "above 0.99"}.get(said, said)


def _of_100(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0")


def _asked(reports: tuple[Report, ...]) -> int:
    """How many examinations there were for models to make; those that only measured are none."""
    return sum(
        report.has_eyes or report.outcome is not Outcome.ANSWERED for report in reports if report.kind == "examination"
    )


def _besides(label: Label, votes: Votes, reports: tuple[Report, ...]) -> str:
    """What became of the examinations that do not agree, in brackets; empty when every one was answered."""
    if _asked(reports) == votes.answered:
        return ""
    other, name = (votes.real, Label.REAL) if label is Label.GENERATED else (votes.generated, Label.GENERATED)
    parts = [f"{other} {'says' if other == 1 else 'say'} {name.value}"] if other else []
    parts += [f"{votes.undecided} undecided"] if votes.undecided else []
    return f" ({', '.join([*parts, *_unanswered(reports)])})"


def _unanswered(reports: tuple[Report, ...]) -> list[str]:
    """How many examinations ended without an answer, for each way in which they did."""
    counts = Counter(report.outcome for report in reports)
    return [f"{counts[outcome]} {words}" for outcome, words in _ENDED.items() if counts[outcome]]


def signs_named(reports: tuple[Report, ...]) -> bool:
    """Whether a model that looked named a sign of generation."""
    return any(item.points_to == "generated" for report in reports if report.has_eyes for item in report.evidence)


def _undecided(ruling: Ruling, votes: Votes, provenance: Provenance, reports: tuple[Report, ...]) -> str:
    because, panel = ruling.decision.undecided_because, ruling.decision.panel
    if because is UndecidedBecause.AI_EDITED or because is None:
        raise AssertionError("an edit is only ever declared, and an undecided decision says why")
    if because is UndecidedBecause.NO_EYES:
        lean = f" {LEANS_CAMERA}" if provenance.declaration is Declaration.CAMERA_FILE else ""
        return f"{_nobody_looked(reports)}{lean}"
    text = _UNDECIDED[because]
    if because is UndecidedBecause.CONFLICT and panel is not None and not (votes.generated and votes.real):
        text = "Undecided: the panel does not agree with the examinations."
    if not votes.answered:
        return text
    of_all = f"{votes.generated} of {_asked(reports)} examinations read it as generated, {votes.real} as a photograph"
    hedges = [f"{votes.undecided} came to no side"] if votes.undecided else []
    return f"{text} {', '.join([of_all, *hedges, *_unanswered(reports)])}."


def _nobody_looked(reports: tuple[Report, ...]) -> str:
    causes = {report.cause for report in reports}
    if Cause.TOO_SMALL in causes:
        return "Nobody has looked: the picture is too small."
    if causes & {Cause.LACKING, Cause.DECLINED}:
        return "Nobody has looked: what the examinations start from was not to be had."
    return "Nobody has looked yet (no model attached)."


def explain(
    ruling: Ruling, said: str, evidence: tuple[Evidence, ...], dissent: tuple[Dissent, ...], reports: tuple[Report, ...]
) -> str:
    """The headline, the panel's words, the strongest evidence of either side, and who dissents."""
    lines = [said]
    decision, panel = ruling.decision, ruling.decision.panel
    if decision.p_generated is not None and decision.calibration is not None:
        lines.append(calibration_text(decision.p_generated, decision.calibration))
    if panel is not None and panel.label is not None:
        lines.append(_titled(f"The panel's reading: {_NOUN[panel.label]}.", panel.text, 700))
    if any(report.has_eyes for report in reports):
        lines += [_strongest(side, evidence, reports) for side in _SIDES]
    if dissent:
        lines.append(_dissent(ruling, dissent, reports))
    return "\n".join(lines)


def _titled(title: str, text: str, length: int) -> str:
    return f"{title} {quote(text, length)}".rstrip()


def _strongest(side: Label, evidence: tuple[Evidence, ...], reports: tuple[Report, ...]) -> str:
    """The strongest sign of a side; where none was listed, what an examination says that came out for it."""
    item = next((item for item in evidence if item.points_to == side.value), None)
    if item is not None:
        return f"Strongest sign of a {_NOUN[side]}: {describe(item)}."
    speaker = next((report for report in reports if report.vote is side and report.text), None)
    if speaker is not None:
        return _titled(f"For a {_NOUN[side]}, {speaker.title} says:", speaker.text, 300)
    return f"No examination listed a sign of a {_NOUN[side]}."


def _dissent(ruling: Ruling, dissent: tuple[Dissent, ...], reports: tuple[Report, ...]) -> str:
    titles = {report.paradigm: report.title for report in reports}
    names = ", ".join(titles.get(item.paradigm, item.paradigm) for item in dissent)
    word = "The smaller side" if ruling.decision.label is Label.UNDECIDED else "Dissent"
    return f"{word}: {names} ({dissent[0].label.value})."


_NO_CAUSE = frozenset(("none", "none known", "none likely", "no ordinary cause", "n/a", "unknown", "-"))
"""How a model says that it knows of no ordinary cause."""


def ordinary_cause(item: Evidence, length: int = 160) -> str:
    """The ordinary cause that a model named, on a line without a stop at its end; empty when it named none."""
    cause = quote(item.ordinary_cause, length).rstrip(".")
    return "" if cause.lower() in _NO_CAUSE else cause


def describe(item: Evidence) -> str:
    """One piece of evidence on one line: where, what, and the ordinary cause that could also have left it."""
    strength = f", severity {item.severity} of 5" if item.severity else ""
    phenomenon, cause = quote(item.phenomenon, 240).rstrip("."), ordinary_cause(item)
    seen = f": {phenomenon}" if phenomenon else ""
    place = f" {item.region.place}" if item.region is not None else ""
    ordinary = ""
    if cause:
        ordinary = f" (an ordinary cause could be: {cause})"
    elif item.points_to == "generated":
        ordinary = " (ordinary cause: none was named)"
    return f"{quote(item.name, 80) or 'a sign'}{place}{seen} [{item.paradigm}{strength}]{ordinary}"


_MODELS = re.compile(
    r"\b(?:nano banana|gemini|imagen|flux(?:\.1)?|grok|gpt-?(?:4o|5|image)\S*|chatgpt|sora|veo|kling|seedream|recraft"
    r"|leonardo(?:\.ai)?|qwen-?image|stylegan\d?|biggan)\b",
    re.IGNORECASE,
)
"""Further generators that models like to name from looks; some are ordinary words, so they are no proof in metadata."""


def quote(text: str, length: int) -> str:
    """What a model wrote, on one short line: without sentences that give a chance or name a generator from looks."""
    sentences = re.split(r"(?<=[.!?])\s+", plain(text, 10 * length))
    kept = " ".join(
        part
        for part in sentences
        if not _PER_CENT.search(part) and generator_named(part) is None and not _MODELS.search(part)
    )
    for pattern, word in _WORDS:
        kept = re.sub(rf"\b(?:{pattern})\b", word, kept, flags=re.IGNORECASE)
    return plain(kept, length)


def rank(reports: tuple[Report, ...]) -> tuple[Evidence, ...]:
    """All evidence, the severest first; at equal severity what stands in a region, then in the order of the reports."""
    found = [item for report in reports for item in report.evidence]
    return tuple(sorted(found, key=lambda item: (-(item.severity or 0), item.region is None)))


def dissenters(label: Label, reports: tuple[Report, ...]) -> tuple[Dissent, ...]:
    """The examinations that came out for the other side; for an undecided verdict the smaller side, if there is one."""
    votes = [report.vote for report in reports]
    generated, real = (votes.count(side) for side in _SIDES)
    against = {Label.GENERATED: Label.REAL, Label.REAL: Label.GENERATED}.get(label)
    if against is None and generated != real:
        against = Label.GENERATED if generated < real else Label.REAL
    return tuple(
        Dissent(paradigm=report.paradigm, label=against, reason=_point(report, against))
        for report in reports
        if against is not None and report.vote is against
    )


def _point(report: Report, side: Label) -> str:
    """The strongest point of a report for a side, or the beginning of its reasoning."""
    strongest = next((item for item in rank((report,)) if item.points_to == side.value), None)
    return describe(strongest) if strongest is not None else quote(report.text, 240) or NO_REASON


def next_steps(ruling: Ruling, reports: tuple[Report, ...]) -> tuple[str, ...]:
    """What a person can do next. `reports` are those that were fused."""
    steps = ["Look for the original file, earlier copies and other pictures of the same scene."]
    if ruling.decision.label is Label.GENERATED:
        steps.append("Before anybody is accused, have a person look at the evidence and ask whoever took the picture.")
    if ruling.decision.label is Label.REAL and signs_named(reports):
        steps.append("Look at the signs of generation that were named; examinations can be wrong either way.")
    elif ruling.decision.label is Label.REAL:
        steps.append("That no sign was found is no proof of a photograph: generated pictures can look flawless.")
    if ruling.decision.label is Label.UNDECIDED and ruling.decision.undecided_because is not UndecidedBecause.NO_EYES:
        steps.append("Let a person decide, with the evidence of both sides at hand.")
    if any(_cut_off(report) for report in reports):
        steps.append("Answers were cut off: raise the setting `tokens.verdict`, or take another model.")
    return tuple(steps)


def _cut_off(report: Report) -> bool:
    """Whether an answer could not be read for lack of its end."""
    return report.outcome is Outcome.UNPARSED and any(step.stop is Stop.LENGTH for step in report.steps[-1:])
