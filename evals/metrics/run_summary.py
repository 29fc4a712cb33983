"""Everything that is measured of a run: each arm under each perturbation, its flips and its repeats."""

from __future__ import annotations

from collections.abc import Iterable

from evals.judgment import Judgment
from evals.metrics.columns import Columns, Group, read_groups
from evals.metrics.estimate import Estimate, Record
from evals.metrics.flips import BASELINE, Flips, flips
from evals.metrics.rate import LEVEL
from evals.metrics.repeats import RepeatSummary, repeat_summary
from evals.metrics.resample import RESAMPLES
from evals.metrics.summary import Summary, checked, summary_of


class Robustness(Record):
    """One row of the robustness table. Scores are on answered cases only."""

    arm: str
    perturbation: str
    n: int
    """Judgments."""
    false_positive_rate: Estimate
    accuracy: Estimate
    balanced_accuracy: Estimate
    auc: Estimate
    decided: Estimate
    flips: Flips | None
    """None for `none` itself, and for an arm that has no `none` to compare with."""


class RunSummary(Record):
    """A run, by arm and perturbation, both in alphabetical order with `none` first."""

    summaries: tuple[Summary, ...]
    robustness: tuple[Robustness, ...]
    repeats: tuple[RepeatSummary, ...]
    """For each arm and perturbation that has more than one repeat."""

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms' names."""
        return tuple(dict.fromkeys(summary.arm for summary in self.summaries))

    def summary(self, arm: str, perturbation: str = BASELINE) -> Summary | None:
        """The summary of an arm, if there is one."""
        found = (each for each in self.summaries if (each.arm, each.perturbation) == (arm, perturbation))
        return next(found, None)


def summarise_run(
    judgments: Iterable[Judgment], *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> RunSummary:
    """The summary of a run.

    Args:
        judgments: of any arms, perturbations and repeats, in any order, which has no influence; read once.
        resamples: of the bootstrap, at least 1.
        seed: of the bootstrap, the same for each arm and perturbation.
        level: of all intervals, above 0 and below 1.

    Raises:
        InputError: a case is there twice in one repeat, or a setting is out of its range.

    """
    bootstrap = checked(resamples, seed, level)
    groups = read_groups(judgments)
    summaries = tuple(summary_of(columns, bootstrap) for columns in groups.values())
    return RunSummary(
        summaries=summaries,
        robustness=tuple(_row(summary, groups, level) for summary in summaries),
        repeats=tuple(
            repeat_summary(groups[summary.arm, summary.perturbation], level)
            for summary in summaries
            if summary.repeats > 1
        ),
    )


def _row(summary: Summary, groups: dict[Group, Columns], level: float) -> Robustness:
    baseline = groups.get((summary.arm, BASELINE))
    perturbed = groups[summary.arm, summary.perturbation]
    compared = baseline is not None and summary.perturbation != BASELINE
    return Robustness(
        arm=summary.arm,
        perturbation=summary.perturbation,
        n=summary.judgments,
        false_positive_rate=summary.answered.false_positive_rate,
        accuracy=summary.answered.accuracy,
        balanced_accuracy=summary.answered.balanced_accuracy,
        auc=summary.auc,
        decided=summary.coverage.decided,
        flips=flips(baseline, perturbed, level) if compared and baseline is not None else None,
    )
