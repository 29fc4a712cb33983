"""The words for what is said of a picture, and for how an examination ended."""

from __future__ import annotations

from enum import StrEnum


class Label(StrEnum):
    """What is said of a picture. `generated` is the positive class."""

    GENERATED = "generated"
    REAL = "real"
    UNDECIDED = "undecided"


class Outcome(StrEnum):
    """How an examination ended. Only `answered` carries a label."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """The model declined to judge."""
    UNPARSED = "unparsed"
    """There is an answer, but no label can be read from it."""
    FAILED = "failed"
    """No answer came."""
    SKIPPED = "skipped"
    """Nobody was asked."""


class Cause(StrEnum):
    """Why an examination was skipped."""

    NO_EYES = "no_eyes"
    """No model is attached."""
    TOO_SMALL = "too_small"
    """There is too little picture to look at."""
    LACKING = "lacking"
    """Something that the examination starts from was not to be had."""
    DECLINED = "declined"
    """The model declined to name the main subject, which the examination starts from."""
    NOT_A_PHOTOGRAPH = "not_a_photograph"
    DEADLINE = "deadline"
    BUDGET = "budget"
    STOPPED_EARLY = "stopped_early"
    """An earlier stage had settled the case."""
