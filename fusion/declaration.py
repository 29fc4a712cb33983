"""What the file itself declares, applied after what was seen and never mixed up with it."""

from __future__ import annotations

import dataclasses
from enum import StrEnum

from fusion.decision import Decision, undecided
from fusion.verdict import Basis, UndecidedBecause
from paradigms.label import Label
from paradigms.report import Report
from paradigms.signals.provenance import Declaration, Provenance
from paradigms.signals.provenance.comfyui import is_graph

BOTH = "The file declares, unsigned, that it was generated, and carries a camera's data too; its word was left out."
_QUOTES = str.maketrans(dict.fromkeys('“”„‟"', "'"))


class ProvenanceMode(StrEnum):
    """What the file's own statement may do."""

    DECIDE = "decide"
    """A declaration decides, outside quorum and shares."""
    EVIDENCE = "evidence"
    """The panel reads it as a line of its own; it does not decide."""
    IGNORE = "ignore"
    """It is recorded, and nothing more: generated files carry their label in the metadata."""


@dataclasses.dataclass(frozen=True, slots=True)
class Ruling:
    """A decision with what it rests on."""

    decision: Decision
    basis: Basis


def rule(decision: Decision, reports: tuple[Report, ...], provenance: Provenance, mode: ProvenanceMode) -> Ruling:
    """The decision after the file's own word.

    A declaration of being generated decides, unless it is unsigned and something stands against it. Beside camera data
    the file says two things, its word is void, and only a decision that the picture reads as generated stands. Against
    examinations that read a photograph the case is a conflict: anyone can write a line into somebody's photograph. A
    declared AI edit leaves the picture undecided.
    """
    looked = any(report.has_eyes or report.score is not None for report in reports)
    seen = Basis.SEEN if looked else Basis.NONE
    declaration = provenance.declaration
    if mode is not ProvenanceMode.DECIDE or declaration in (Declaration.CAMERA_FILE, Declaration.NONE):
        return Ruling(decision, seen)
    declared = Basis.DECLARED_SIGNED if provenance.signed else Basis.DECLARED_UNSIGNED
    warnings = decision.warnings
    if declaration is Declaration.DECLARES_EDITED:
        return Ruling(undecided(UndecidedBecause.AI_EDITED, decision.panel, warnings), declared)
    if provenance.camera and not provenance.signed:
        if decision.label is Label.GENERATED:
            return Ruling(dataclasses.replace(decision, warnings=(*warnings, BOTH)), seen)
        return Ruling(undecided(UndecidedBecause.CONFLICT, decision.panel, warnings), declared)
    if decision.label is Label.REAL and not provenance.signed:
        return Ruling(undecided(UndecidedBecause.CONFLICT, decision.panel, warnings), declared)
    if decision.label is Label.REAL:
        warnings = (*warnings, "The examinations read a photograph; the label rests on the file's signed statement.")
    return Ruling(Decision(Label.GENERATED, panel=decision.panel, warnings=warnings), declared)


def rests_on_graph(provenance: Provenance) -> bool:
    """Whether the unsigned declaration is a ComfyUI graph, which says only what the file went through."""
    return not provenance.signed and any(is_graph(c) and c.where == provenance.where for c in provenance.claims)


def statement(provenance: Provenance) -> str:
    """The file's own statement in one sentence, without anybody's prompt or name; empty when it makes none."""
    # The file chooses the tool's name, so it stands in quotation marks that it cannot close.
    tool = f" with “{provenance.tool.translate(_QUOTES)}”" if provenance.tool else ""
    where = f" (in {provenance.where})" if provenance.where else ""
    signed = "in a signed manifest whose content matches the file" if provenance.signed else "unsigned"
    if rests_on_graph(provenance):
        does = "edits" if provenance.declaration is Declaration.DECLARES_EDITED else "generates"
        return (
            f"The file declares that it went through{tool.removeprefix(' with')}, with a graph that {does} "
            f"pictures{where}, {signed}. Screenshots of its editor and in-paintings of photographs carry such a graph "
            "too."
        )
    match provenance.declaration:
        case Declaration.DECLARES_GENERATED:
            return f"The file declares that it was generated{tool}{where}, {signed}."
        case Declaration.DECLARES_EDITED:
            return f"The file declares an edit with AI{tool}{where}, or that AI worked on another picture, {signed}."
        case Declaration.CAMERA_FILE:
            return "The file carries a camera's data, as a camera would write it; anyone can copy or write such data."
        case Declaration.NONE:
            return ""
