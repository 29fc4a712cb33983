"""Everything that is measured of one arm under one perturbation."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from backends.errors import InputError
from evals.judgment import Judgment
from evals.metrics.base_rate import Worth, worth
from evals.metrics.columns import GENERATED, REAL, Columns, read
from evals.metrics.coverage import Coverage, coverage
from evals.metrics.curves import Curves, curves
from evals.metrics.estimate import Estimate, Record
from evals.metrics.expense import Expense, expense
from evals.metrics.portion import Portion, by_generator, by_source, every_real
from evals.metrics.ranking import RankedBy, Ranking, auc, average_precision
from evals.metrics.rate import LEVEL, rate
from evals.metrics.reliability import Bins
from evals.metrics.resample import RESAMPLES, Bootstrap, Statistic
from evals.metrics.sample import Sample, Sampling
from evals.metrics.scores import Scores, scores, statistics
from evals.metrics.selection import Selection
from evals.metrics.view import View, ViewName, views


class FalsePositives(Record):
    """Real pictures that are called generated: the worst error, so it comes first."""

    of_decided: Estimate
    """Of the real cases that are decided."""
    of_all: Estimate
    """Of all real cases; an undecided one is no accusation."""
    by_source: tuple[Portion, ...]


class Summary(Record):
    """One arm under one perturbation.

    With repeats, all judgments are pooled, so that a share is the mean of the repeats' shares, weighted by the cases
    that each of them has; intervals take all repeats of a case as one unit, so that repeats never pass for more
    pictures. `RepeatSummary` has the repeats one by one.
    """

    arm: str
    perturbation: str
    judgments: int
    cases: int
    repeats: int
    """Different repeats that there are."""
    real: int
    """Judgments of real cases."""
    generated: int
    unlabelled: int
    """Judgments of cases without a truth; only coverage and expense look at them."""
    level: float
    """Of all intervals."""
    resamples: int
    seed: int
    sampling: Sampling
    false_positives: FalsePositives
    answered: Scores
    unanswered_as_wrong: Scores
    forced: Scores
    ranked_by: RankedBy | None
    auc: Estimate
    average_precision: Estimate
    ece: Estimate
    """Expected calibration error in equal-mass bins, without an interval; None without `p_generated`."""
    brier: Estimate
    """None without `p_generated`."""
    aurc: Estimate
    """Area under the risk-coverage curve."""
    coverage: Coverage
    worth: tuple[Worth, ...]
    generators: tuple[Portion, ...]
    """Generated cases by generator, with their recall."""
    every_real: Portion | None
    """Real cases, as the row beside the generators."""
    expense: Expense
    curves: Curves

    def scores(self, view: ViewName) -> Scores:
        """The scores of one view of the labels."""
        return {
            ViewName.ANSWERED: self.answered,
            ViewName.UNANSWERED_AS_WRONG: self.unanswered_as_wrong,
            ViewName.FORCED: self.forced,
        }[view]


def summarise(
    judgments: Iterable[Judgment], *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> Summary:
    """The summary of judgments that share an arm and a perturbation.

    Args:
        judgments: in any order, which has no influence on the result; read once.
        resamples: of the bootstrap, at least 1.
        seed: of the bootstrap.
        level: of all intervals, above 0 and below 1.

    Raises:
        InputError: there are several arms or perturbations, none at all, or a case twice in one repeat.

    """
    return summary_of(read(judgments), checked(resamples, seed, level))


def checked(resamples: int, seed: int, level: float) -> Bootstrap:
    """The bootstrap of these settings.

    Raises:
        InputError: a setting is out of its range.

    """
    if resamples < 1 or seed < 0 or not 0 < level < 1:
        raise InputError("Resamples must be at least 1, the seed at least 0, the level above 0 and below 1.")
    return Bootstrap(resamples, seed, level)


def summary_of(columns: Columns, bootstrap: Bootstrap) -> Summary:
    """The summary of columns."""
    sample, ranking, level = Sample.of(columns), Ranking.of(columns), bootstrap.level
    seen = views(columns, ranking)
    estimates = bootstrap.estimates(_statistics(columns, ranking, seen), sample)
    scored = {view.name: scores(view, _within(estimates, view.name), sample, level) for view in seen}
    return Summary(
        arm=columns.arm,
        perturbation=columns.perturbation,
        judgments=len(columns),
        cases=len(np.unique(columns.case.codes)),
        repeats=len(np.unique(columns.repeat)),
        real=int((columns.truth == REAL).sum()),
        generated=int((columns.truth == GENERATED).sum()),
        unlabelled=int((~columns.labelled).sum()),
        level=level,
        resamples=bootstrap.resamples,
        seed=bootstrap.seed,
        sampling=sample.sampling,
        false_positives=_false_positives(columns, sample, level),
        answered=scored[ViewName.ANSWERED],
        unanswered_as_wrong=scored[ViewName.UNANSWERED_AS_WRONG],
        forced=scored[ViewName.FORCED],
        ranked_by=ranking.by,
        auc=estimates["auc"],
        average_precision=estimates["average_precision"],
        ece=Bins.of(columns).ece(),
        brier=estimates["brier"],
        aurc=estimates["aurc"],
        coverage=coverage(columns, sample, level),
        worth=worth(columns, sample, level),
        generators=by_generator(columns, sample, level),
        every_real=every_real(columns, sample, level),
        expense=expense(columns),
        curves=curves(columns, ranking),
    )


def _statistics(columns: Columns, ranking: Ranking, seen: tuple[View, ...]) -> dict[str, Statistic]:
    return {
        "auc": auc(columns, ranking),
        "average_precision": average_precision(columns, ranking),
        "brier": Bins.of(columns).brier(),
        "aurc": Selection.of(columns, ranking).aurc(),
        **{f"{view.name}.{name}": statistic for view in seen for name, statistic in statistics(view).items()},
    }


def _within(estimates: dict[str, Estimate], view: ViewName) -> dict[str, Estimate]:
    """The estimates of one view, by their names there."""
    prefix = f"{view}."
    return {name.removeprefix(prefix): value for name, value in estimates.items() if name.startswith(prefix)}


def _false_positives(columns: Columns, sample: Sample, level: float) -> FalsePositives:
    real, accused = columns.truth == REAL, columns.called == GENERATED
    return FalsePositives(
        of_decided=rate(accused, real & columns.decided, sample, level),
        of_all=rate(accused, real, sample, level),
        by_source=by_source(columns, sample, level),
    )
