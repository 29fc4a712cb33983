"""The fixed words for a label, what it does not mean, and what may be said of every verdict."""

from __future__ import annotations

from enum import StrEnum

from fusion.declaration import rests_on_graph
from fusion.explanation import signs_named
from fusion.verdict import Basis, UndecidedBecause, Verdict
from paradigms.label import Label

SIDES = {"generated": "for generated", "real": "for a photograph"}
NONE_NAMED = "none was named"

_ALWAYS = "It says nothing about who made or posted the picture, when or why, nor about whether its caption is true."
_NOT_MEANT = {
    Label.GENERATED: (
        "It is not proof. Photographs are read as generated at times: night modes, filters, retouching, enlarging and "
        "strong compression leave traces that look alike.",
        _ALWAYS,
        "It does not say which program made the picture.",
    ),
    Label.REAL: (
        "It is not proof of a photograph: generated pictures can look flawless.",
        "It does not say that the picture is unedited, or that the scene was not staged.",
        _ALWAYS,
    ),
    Label.UNDECIDED: (
        "It does not mean that the picture is half generated.",
        "It is no reason for suspicion: nothing was decided, for either side.",
        _ALWAYS,
    ),
}
_NOT_MEANT_UNSEEN = (
    "It is no label: no model has looked at the picture.",
    "It is no reason for suspicion, and no reason for trust.",
    _ALWAYS,
)
_NOT_MEANT_DECLARED = (
    "It is the file's own word, not what was seen in the picture. Anyone can write such a statement, and anyone can "
    "remove it.",
    _ALWAYS,
)
_NOT_MEANT_SIGNED = (
    "It is the file's own word, not what was seen in the picture. The signature says that the file is as it was "
    "signed, not that what the signer says is true. Anyone can remove such a statement.",
    _ALWAYS,
)

LIMITS = (
    "A verdict is an estimate. It is made by language models that look at a copy of the picture, and by measurements.",
    "Photographs are read as generated at times, and generated pictures often pass as photographs. How often depends "
    "on the models and on the kind of picture.",
    "Several examinations by one model are not several witnesses: they share its blind spots.",
    "A region shows where a model or a measurement pointed, and they point to the wrong place at times. What a model "
    "writes may be wrong even where its label is right.",
    "Do not rest a decision about a person on this page alone.",
)
WHERE_TO_LOOK = (
    "The original file: ask whoever took or sent the picture for the file as the camera or phone wrote it. Messengers "
    "and networks shrink pictures and remove what a file says of itself.",
    "Earlier copies: search for the picture by the picture. An earlier or larger copy may show more, or show where it "
    "comes from.",
    "Other frames: people who photograph mostly take several pictures. Ask for those before and after.",
)
IF_YOURS = (
    "This page is an estimate, and no accusation. Nobody should treat it as one.",
    "If the label is wrong, you are not alone: night and portrait modes, filters, retouching, enlarging, screenshots "
    "and strong compression all mislead examinations like these.",
    "What helps most is a better file: the original as the camera or phone wrote it, a raw file, or the pictures taken "
    "before and after.",
    "Ask whoever gave you this page to have a person look at it again, with the better file. Name the id at the end of "
    "the page: the new judgment is kept beside the old one.",
)


class Title(StrEnum):
    """The label in a few words; the headline says the rest."""

    NOBODY = "Nobody has looked"
    UNDECIDED = "Undecided"
    GRAPH = "The file carries a graph that generates pictures"
    DECLARED = "The file says that it was generated"
    GENERATED = "Reads as generated"
    REAL = "Reads as a photograph"
    NO_SIGNS = "No signs of generation found"


def label_title(verdict: Verdict) -> Title:
    """The title of a verdict."""
    if verdict.undecided_because is UndecidedBecause.NO_EYES:
        return Title.NOBODY
    if verdict.label is Label.UNDECIDED:
        return Title.UNDECIDED
    if declared(verdict):
        return Title.GRAPH if rests_on_graph(verdict.provenance) else Title.DECLARED
    if verdict.label is Label.GENERATED:
        return Title.GENERATED
    return Title.REAL if signs_named(verdict.reports) else Title.NO_SIGNS


def not_meant(verdict: Verdict) -> tuple[str, ...]:
    """What the label does not mean, a sentence or two each."""
    if verdict.undecided_because is UndecidedBecause.NO_EYES:
        return _NOT_MEANT_UNSEEN
    if declared(verdict) and verdict.label is Label.GENERATED:
        return _NOT_MEANT_SIGNED if verdict.basis is Basis.DECLARED_SIGNED else _NOT_MEANT_DECLARED
    return _NOT_MEANT[verdict.label]


def declared(verdict: Verdict) -> bool:
    """Whether the verdict rests on the file's own word."""
    return verdict.basis in (Basis.DECLARED_SIGNED, Basis.DECLARED_UNSIGNED)
