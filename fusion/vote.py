"""Counting votes, with a panel that words the outcome and may object to it."""

from __future__ import annotations

import dataclasses

from fusion.decision import Decision, Hearing, Rules, count, nobody_looked, undecided
from fusion.verdict import UndecidedBecause, Votes
from paradigms.label import Cause, Label
from paradigms.report import Report

ROUNDING = 1e-9


def decide(votes: Votes, rules: Rules) -> Decision:
    """The decision that the votes alone give."""
    if votes.cast < rules.quorum:
        return undecided(UndecidedBecause.BELOW_QUORUM)
    if _reaches(votes.generated, rules.generated_share, votes.answered):
        return Decision(Label.GENERATED)
    if _reaches(votes.real, rules.real_share, votes.answered):
        return Decision(Label.REAL)
    both = votes.generated and votes.real
    return undecided(UndecidedBecause.CONFLICT if both else UndecidedBecause.WEAK)


def _reaches(votes: int, share: float, answered: int) -> bool:
    """Whether so many votes are the share; 11 of 20 are 0.55, whatever floating point makes of 0.55 × 20."""
    return votes >= share * answered - ROUNDING


async def tally(reports: tuple[Report, ...], hearing: Hearing) -> Decision:
    """Only count: no panel."""
    nobody = nobody_looked(reports)
    if nobody is not None:
        return undecided(nobody)
    decision = decide(count(reports), hearing.rules)
    starved = any(report.cause is Cause.BUDGET for report in reports)
    if decision.undecided_because is UndecidedBecause.BELOW_QUORUM and starved:
        return undecided(UndecidedBecause.BUDGET)
    return decision


async def vote_with_panel(reports: tuple[Report, ...], hearing: Hearing) -> Decision:
    """The votes decide and the panel words it; if the two differ, the case is `undecided, conflict`."""
    decision = await tally(reports, hearing)
    if not any(report.has_eyes for report in reports):
        return decision
    panel = await hearing.panel()
    if panel is None:
        return decision
    if panel.label is None:
        reason = (panel.reason or panel.outcome.value).rstrip(".")
        warning = f"The panel gave no judgement ({reason}); the votes stand alone."
        return dataclasses.replace(decision, panel=panel, warnings=(warning,))
    if decision.label is not Label.UNDECIDED and panel.label is not decision.label:
        warning = f"The votes say {decision.label.value}, but the panel says {panel.label.value}."
        return undecided(UndecidedBecause.CONFLICT, panel, (warning,))
    return dataclasses.replace(decision, panel=panel)
