"""Counting votes, with a panel that words the outcome and may object to it."""

from __future__ import annotations

import dataclasses

from fusion.decision import Decision, Hearing, Rules, count, nobody_looked, undecided
from fusion.verdict import UndecidedBecause, Votes
from paradigms.label import Cause, Label, Outcome
from paradigms.report import Report


def decide(votes: Votes, rules: Rules) -> Decision:
    """The decision that the votes alone give."""
    if votes.cast < rules.quorum:
        return undecided(UndecidedBecause.BELOW_QUORUM)
    if votes.generated >= rules.generated_share * votes.answered:
        return Decision(Label.GENERATED)
    if votes.real >= rules.real_share * votes.answered:
        return Decision(Label.REAL)
    both = votes.generated and votes.real
    return undecided(UndecidedBecause.CONFLICT if both else UndecidedBecause.WEAK)


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
    if nobody_looked(reports) is not None:
        return decision
    panel = await hearing.panel()
    if panel is None:
        return decision
    if panel.outcome is not Outcome.ANSWERED:
        warning = f"The panel gave no judgement ({panel.reason}); the votes stand alone."
        return dataclasses.replace(decision, panel=panel, warnings=(warning,))
    if decision.label is not Label.UNDECIDED and panel.label is not decision.label:
        warning = f"The votes say {decision.label.value}, but the panel says {panel.label}."
        return undecided(UndecidedBecause.CONFLICT, panel, (warning,))
    return dataclasses.replace(decision, panel=panel)
