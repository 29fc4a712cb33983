"""The fitted strategies, `log_odds` and `stacked`: the weights of a calibration decide, alone and without a panel.

Both are a sum of weights at the time of judging; they differ in how the weights were found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fusion.calibration import Calibration, Saying
from fusion.decision import Decision, Hearing, Strategy, nobody_looked, undecided
from fusion.verdict import UndecidedBecause
from paradigms.label import Cause, Label
from paradigms.report import Report

MOST_NAMED = 3
"""Differences that a warning names; the rest is a number."""


def fitted(calibration: Calibration) -> Strategy:
    """The strategy of a calibration."""

    async def weigh_up(reports: tuple[Report, ...], hearing: Hearing) -> Decision:
        return weigh(reports, calibration)

    return weigh_up


def weigh(reports: tuple[Report, ...], calibration: Calibration) -> Decision:
    """The decision of a calibration: its thresholds on its chance of `generated`."""
    said = {report.paradigm: saying(report) for report in reports}
    if not any(it.label is not None or it.score is not None for it in said.values()):
        return undecided(nobody_looked(reports) or _too_few(reports))
    warnings = tuple(_differences(reports, calibration))
    label, because, chance = judge(said, calibration)
    if because is UndecidedBecause.BELOW_QUORUM:
        return undecided(_too_few(reports), warnings=warnings)
    return Decision(label, because, p_generated=round(chance, 4), calibration=calibration.note, warnings=warnings)


def judge(said: Mapping[str, Saying], calibration: Calibration) -> tuple[Label, UndecidedBecause | None, float]:
    """Label, why there is none, and the chance of `generated` by the calibration."""
    chance = calibration.p_generated(said)
    if calibration.spoken(said) < calibration.minimum:
        return Label.UNDECIDED, UndecidedBecause.BELOW_QUORUM, chance
    if chance >= calibration.thresholds.generated:
        return Label.GENERATED, None, chance
    if chance <= calibration.thresholds.real:
        return Label.REAL, None, chance
    votes = {said[name].label for name in calibration.members if name in said}
    both = {Label.GENERATED, Label.REAL} <= votes
    return Label.UNDECIDED, UndecidedBecause.CONFLICT if both else UndecidedBecause.WEAK, chance


def saying(report: Report) -> Saying:
    """What a report says, as a calibration hears it. A measurement says nothing."""
    if report.score is not None:
        return Saying(score=report.score)
    return Saying(report.label, report.p_generated) if report.has_eyes else Saying()


def _too_few(reports: tuple[Report, ...]) -> UndecidedBecause:
    starved = any(report.cause is Cause.BUDGET for report in reports)
    return UndecidedBecause.BUDGET if starved else UndecidedBecause.BELOW_QUORUM


def _differences(reports: tuple[Report, ...], calibration: Calibration) -> Iterator[str]:
    """What to warn of when the calibration was fitted on others than those that are fused."""
    found = {report.paradigm: report for report in reports}
    missing = [name for name in calibration.members if name not in found]
    if missing:
        yield f"The calibration {calibration.name} also weighs {_few(missing, ', ')}, who did not look here."
    unknown = [name for name, it in found.items() if it.vote is not None and name not in calibration.members]
    if unknown:
        they = "it does" if len(unknown) == 1 else "they do"
        yield f"The calibration {calibration.name} has no weight for {_few(unknown, ', ')}; {they} not count."
    changed = [change for report in reports for change in _changes(report, calibration)]
    if changed:
        others = f"was fitted on other examinations ({_few(changed, '; ')})"
        yield f"The calibration {calibration.name} {others}: its rates may not hold."


def _changes(report: Report, calibration: Calibration) -> Iterator[str]:
    """How a report that answered was made otherwise than those fitted on."""
    before = calibration.fitted_on.paradigms.get(report.paradigm)
    if before is None or report.paradigm not in calibration.members or not report.has_eyes:
        return
    if before.prompt_version not in (None, report.prompt_version):
        yield f"{report.paradigm}: prompt {report.prompt_version}, then {before.prompt_version}"
    if before.backend not in (None, report.backend):
        yield f"{report.paradigm}: {report.backend}, then {before.backend}"


def _few(items: list[str], between: str) -> str:
    more = len(items) - MOST_NAMED
    return between.join(items[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
