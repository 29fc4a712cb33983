"""A calibration in words: the false-positive rate first, and nothing claimed that the cases cannot show."""

from __future__ import annotations

from collections.abc import Iterator

from evals.calibrate.quality import needed
from evals.calibrate.rivals import Comparison
from evals.calibrate.stages import StagesOutcome, StagesStudy
from fusion.calibration import Calibration, Measured, PeopleLabels, Quality, Rate

AUC_MEANS = (
    "AUC is the share of pairs, one generated picture and one photograph, in which the generated one ranks higher; 0.5 "
    "is a coin's."
)


def report_lines(calibration: Calibration, comparison: Comparison, stages: StagesStudy | None) -> Iterator[str]:
    """The report, a sentence or two a line."""
    measured, n = calibration.measured, calibration.n
    yield (
        f"Fitted as {calibration.strategy} on {n.generated} generated and {n.real} real cases ({calibration.data}); "
        f"what follows is measured on held-out cases ({measured.scheme}). "
        f"Intervals take {_independent(measured.false_positives, 'photographs')} and "
        f"{_independent(measured.found, 'generated pictures')} as independent."
    )
    if calibration.people is not None:
        yield _people(calibration.people)
    yield _false_positives(measured)
    yield (
        f"Of 100 generated pictures, {of_100(measured.found.rate)} are called generated and {_rate(measured.misses)} "
        f"real; {of_100(measured.decided)} of 100 cases get a label."
    )
    if measured.found.count == 0:
        yield "No generated picture is called generated at this target. Allow a higher rate, or add voters or cases."
    yield _ranking(measured)
    yield AUC_MEANS
    yield _base_rates(calibration)
    yield from comparison_lines(comparison)
    if stages is not None:
        yield "What stopping early does is counted with the final fit, on the cases that it was fitted on:"
        yield from stages_lines(stages)


def comparison_lines(comparison: Comparison) -> Iterator[str]:
    """The fit beside the best voter and the plain majority."""
    best, low, high = comparison.best_single_held_out, *comparison.difference_interval
    yield (
        f"Of 100 cases the fit is right in {of_100(comparison.fitted)} with the balance of classes that it was fitted "
        f"on ({of_100(comparison.fitted_even)} with even odds before the votes, as in `ablate`), the best single voter "
        f"in {of_100(best)} (chosen on other cases; in hindsight {comparison.best_single}, with "
        f"{of_100(comparison.best_single_accuracy)}), the plain majority in {of_100(comparison.majority)}."
    )
    apart = f"{100 * comparison.difference:+.1f} of 100, interval {100 * low:+.1f} to {100 * high:+.1f}"
    if comparison.majority_loses and comparison.recovers:
        recovers = "the fit recovers the best voter's accuracy, within 1 of 100"
        yield f"The plain majority loses to the best voter; {recovers} ({apart})."
    elif low > 0:
        yield f"The fit is ahead of the best single voter ({apart})."
    elif comparison.recovers:
        yield f"The fit comes up to the best single voter, within 1 of 100 ({apart})."
    elif high < 0:
        yield f"The fit falls behind the best single voter ({apart}): that voter alone would be better."
    else:
        yield f"The fit falls behind the best single voter ({apart}), by no more than chance may do."


def stages_lines(study: StagesStudy) -> Iterator[str]:
    """What stopping early would have saved and cost."""
    for outcome in study.asked_for:
        yield f"Asked for: {_stages(outcome)}"
    if not study.best:
        yield f"No division into two stages saves a call: {study.quorum} votes must agree before one is left out."
    for outcome in study.best:
        yield f"Chosen in hindsight: {_stages(outcome)}"
    if not study.calls_known:
        yield "The run does not say how many calls an answer took; each is counted as one."


def _false_positives(measured: Measured) -> str:
    false, target = measured.false_positives, measured.target_false_positive_rate
    said = (
        f"False-positive rate: {_rate(false)} of 100 photographs are called generated ({false.count} of {false.of}); "
        f"the target is {of_100(target)}."
    )
    if measured.target_supported:
        return said
    shown = f"What is shown is a rate below {of_100(false.high)} of 100."
    if false.of < needed(target):
        return (
            f"{said} {false.of} photographs are too few to show that the target is met: that takes at least "
            f"{needed(target)} without a mistake. {shown}"
        )
    if false.rate > target:
        return f"{said} The target is not met on held-out cases. {shown}"
    return f"{said} That does not show that the target is met: the interval reaches above it. {shown}"


def _independent(rate: Rate, what: str) -> str:
    if rate.units is None or rate.units == rate.of:
        return f"{rate.of} {what}"
    return f"{rate.units} sources of {what}"


def _people(labels: PeopleLabels) -> str:
    changed = f"{labels.changed} label{'' if labels.changed == 1 else 's'} changed by people"
    added = f", {labels.added} added by people to cases that had none" if labels.added else ""
    return f"{changed}{added}."


def _ranking(measured: Measured) -> str:
    here, elsewhere = measured.in_domain, measured.leave_one_source_out
    if elsewhere is None:
        because = measured.leave_one_source_out_because or "not measured"
        return f"{_quality('In domain', here)} On a source that was not fitted on: unknown ({because})."
    return (
        f"{_quality('In domain', here)} "
        f"{_quality(f'On sources that were not fitted on ({measured.leave_one_source_out_because})', elsewhere)}"
    )


def _quality(where: str, quality: Quality) -> str:
    auc = "unknown" if quality.auc is None else f"{quality.auc:.3f}"
    false = quality.false_positives
    wrong = f", {_rate(false)} of 100 photographs called generated" if false is not None else ""
    return f"{where}: AUC {auc}, calibration error {quality.ece:.3f}{wrong}."


def _base_rates(calibration: Calibration) -> str:
    parts = [
        f"{_number(item.right_of_100)} (at least {_number(item.at_least)}) where {item.generated_of_100:g} of 100 are"
        for item in calibration.measured.base_rates
        if item.right_of_100 is not None
    ]
    if not parts:
        return "What is right of 100 pictures called generated is unknown: none was."
    return f"Of 100 pictures called generated, right would be {', '.join(parts)}."


def _stages(outcome: StagesOutcome) -> str:
    stages = ", then ".join(" + ".join(stage) for stage in outcome.stages)
    early, everybody = outcome.early, outcome.everybody
    false = (of_100(it.false_positive_rate or 0.0) for it in (early, everybody))
    return (
        f"{stages}: {of_100(outcome.saved)} of 100 calls saved ({outcome.calls_saved:,} of {outcome.calls:,}); "
        f"{' instead of '.join(false)} of 100 photographs called generated; right in {of_100(early.right)} of 100 "
        f"cases instead of {of_100(everybody.right)}, another label in {of_100(outcome.changed)}."
    )


def _rate(rate: Rate) -> str:
    return f"{of_100(rate.rate)} (interval {of_100(rate.low)} to {of_100(rate.high)})"


def of_100(share: float | None) -> str:
    """A share as a number of 100, to one digit."""
    return "unknown" if share is None else f"{100 * share:.1f}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"
