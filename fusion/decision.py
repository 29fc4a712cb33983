"""What a fusion strategy decides, and from what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from fusion.verdict import CalibrationNote, UndecidedBecause, Votes
from paradigms.label import Cause, Label
from paradigms.report import Report


class Rules(BaseModel):
    """When votes are enough. To accuse a photograph is the worst mistake, so `generated` needs more than `real`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quorum: int = Field(ge=1)
    """How many votes, inclusive, a label needs to be given at all; hedges are no votes."""
    generated_share: float = Field(gt=0.5, le=1)
    """The share of all answers, inclusive, that must say `generated`; hedges count as answers."""
    real_share: float = Field(gt=0.5, le=1)
    """The share of all answers, inclusive, that must say `real`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A label with its reason. `p_generated` only comes with the calibration that set it."""

    label: Label
    undecided_because: UndecidedBecause | None = None
    panel: Report | None = None
    p_generated: float | None = None
    calibration: CalibrationNote | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a strategy may use: the rules, and a panel to be asked once (None when no backend is attached to it)."""

    rules: Rules
    panel: Callable[[], Awaitable[Report | None]]


Strategy = Callable[[tuple[Report, ...], Hearing], Awaitable[Decision]]
"""A fusion strategy: from the reports to a decision."""


def count(reports: tuple[Report, ...]) -> Votes:
    """The votes of the reports with eyes."""
    labels = [report.label for report in reports if report.has_eyes]
    return Votes(
        generated=labels.count(Label.GENERATED), real=labels.count(Label.REAL), undecided=labels.count(Label.UNDECIDED)
    )


def undecided(because: UndecidedBecause, panel: Report | None = None, warnings: tuple[str, ...] = ()) -> Decision:
    """No label, and why."""
    return Decision(Label.UNDECIDED, because, panel, warnings=warnings)


def nobody_looked(reports: tuple[Report, ...]) -> UndecidedBecause | None:
    """Why no model looked, or None if one did or was at least asked."""
    causes = {report.cause for report in reports}
    if any(report.backend is not None for report in reports):
        return None
    if Cause.BUDGET in causes:
        return UndecidedBecause.BUDGET
    if Cause.NOT_A_PHOTOGRAPH in causes:
        return UndecidedBecause.NOT_A_PHOTOGRAPH
    return UndecidedBecause.NO_EYES
