"""Arms against each other, on the cases that both have."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import numpy as np

from backends.errors import InputError, UnknownNameError
from evals.judgment import Judgment
from evals.metrics.arrays import Floats
from evals.metrics.columns import UNDECIDED, Columns, aligned, read_groups
from evals.metrics.estimate import Estimate, Record
from evals.metrics.flips import BASELINE
from evals.metrics.mcnemar import McNemar, holm, mcnemar
from evals.metrics.ranking import Ranking, auc
from evals.metrics.rate import LEVEL
from evals.metrics.resample import RESAMPLES, Bootstrap, Statistic
from evals.metrics.sample import Sample, Sampling
from evals.metrics.scores import differing
from evals.metrics.summary import checked
from evals.metrics.view import View, ViewName, views


class Contrast(Record):
    """Two arms in one view of the labels. Differences are second minus first."""

    view: ViewName
    n: int
    """Judgments that are in this view for both."""
    mcnemar: McNemar
    p_holm: float | None
    """McNemar's p-value, corrected for all pairs of arms that are compared in this view."""
    accuracy: Estimate
    balanced_accuracy: Estimate
    false_positive_rate: Estimate


class Comparison(Record):
    """Two arms under the same perturbation."""

    first: str
    second: str
    perturbation: str
    first_judgments: int
    second_judgments: int
    common: int
    """Labelled judgments (case and repeat) that both have; all else is left out."""
    sampling: Sampling
    contrasts: tuple[Contrast, ...]
    """One for each view of the labels."""
    auc: Estimate
    """Difference, second minus first, on the cases that both can rank."""


def compare(
    judgments: Iterable[Judgment],
    *,
    reference: str | None = None,
    perturbation: str = BASELINE,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> tuple[Comparison, ...]:
    """Each arm against `reference`, which then is the first; or every pair of arms, when there is no reference.

    Args:
        judgments: of all arms, in any order; other perturbations are passed over.
        reference: an arm's name.
        perturbation: under which the arms are compared.
        resamples: of the paired bootstrap: both arms are drawn with the same cases or sources.
        seed: of the bootstrap.
        level: of all intervals.

    Raises:
        UnknownNameError: there is no such arm.
        InputError: there are fewer than two arms, or two arms give a case different truths.

    """
    bootstrap = checked(resamples, seed, level)
    groups = read_groups(judgment for judgment in judgments if judgment.perturbation == perturbation)
    arms = {arm: columns for (arm, _), columns in groups.items()}
    if reference is not None and reference not in arms:
        raise UnknownNameError("arm", reference, arms)
    if len(arms) < 2:
        raise InputError(f"To compare takes two arms under the perturbation {perturbation!r}; here is {len(arms)}.")
    pairs = [(reference, arm) for arm in arms if arm != reference] if reference else itertools.combinations(arms, 2)
    return corrected([comparison(arms[first], arms[second], bootstrap) for first, second in pairs])


def comparison(first: Columns, second: Columns, bootstrap: Bootstrap) -> Comparison:
    """Two arms against each other, without a correction.

    Raises:
        InputError: they give a case different truths.

    """
    one, other = _paired(first, second)
    sample, ranks = Sample.of(one), (Ranking.of(one), Ranking.of(other))
    pairs = [_shared(*pair) for pair in zip(views(one, ranks[0]), views(other, ranks[1]), strict=True)]
    statistics = {
        f"{pair[0].name}.{name}": difference
        for pair in pairs
        for name, difference in _differences(differing(pair[0]), differing(pair[1])).items()
    }
    known = ranks[0].known & ranks[1].known
    areas = [_auc(columns, rank, known) for columns, rank in zip((one, other), ranks, strict=True)]
    statistics |= _differences({"auc": areas[0]}, {"auc": areas[1]})
    estimates = bootstrap.estimates(statistics, sample) if len(one) else _nothing(statistics)
    return Comparison(
        first=first.arm,
        second=second.arm,
        perturbation=first.perturbation,
        first_judgments=len(first),
        second_judgments=len(second),
        common=len(one),
        sampling=sample.sampling,
        contrasts=tuple(_contrast(*pair, estimates, sample) for pair in pairs),
        auc=estimates["auc"],
    )


def corrected(comparisons: Iterable[Comparison]) -> tuple[Comparison, ...]:
    """The same comparisons with Holm's correction, view by view, over all of them."""
    every = tuple(comparisons)
    by_view = [
        holm([contrast.mcnemar.p_value for contrast in column])
        for column in zip(*(comparison.contrasts for comparison in every), strict=True)
    ]
    return tuple(
        comparison.model_copy(
            update={
                "contrasts": tuple(
                    contrast.model_copy(update={"p_holm": adjusted[place]})
                    for contrast, adjusted in zip(comparison.contrasts, by_view, strict=True)
                )
            }
        )
        for place, comparison in enumerate(every)
    )


def _paired(first: Columns, second: Columns) -> tuple[Columns, Columns]:
    one, other = aligned(first, second)
    both = np.flatnonzero(one.labelled & other.labelled)
    one, other = one.take(both), other.take(both)
    differ = np.flatnonzero(one.truth != other.truth)
    if len(differ):
        case = one.keys()[int(differ[0])][0]
        raise InputError(f"Arms {first.arm!r} and {second.arm!r} give case {case!r} different truths: mend the labels.")
    return one, other


def _shared(one: View, other: View) -> tuple[View, View]:
    """Both views, without the rows that only one of them has."""
    both = one.counted & other.counted
    return (
        View(one.name, one.truth, np.where(both, one.called, UNDECIDED)),
        View(other.name, other.truth, np.where(both, other.called, UNDECIDED)),
    )


def _auc(columns: Columns, ranking: Ranking, known: np.ndarray) -> Statistic:
    return auc(columns, Ranking(ranking.by, np.where(known, ranking.values, np.nan), ranking.middle))


def _differences(first: Mapping[str, Statistic], second: Mapping[str, Statistic]) -> dict[str, Statistic]:
    return {name: _difference(first[name], second[name]) for name in first}


def _difference(one: Statistic, other: Statistic) -> Statistic:
    def of(weights: Floats) -> Floats:
        return other.of(weights) - one.of(weights)

    return Statistic(one.n, of)


def _nothing(statistics: Mapping[str, Statistic]) -> dict[str, Estimate]:
    return {name: Estimate(value=None, n=0) for name in statistics}


def _contrast(one: View, other: View, estimates: Mapping[str, Estimate], sample: Sample) -> Contrast:
    rows = one.counted
    right = [(view.called == view.truth)[rows] for view in (one, other)]
    return Contrast(
        view=one.name,
        n=int(rows.sum()),
        mcnemar=mcnemar(right[0], right[1], sample.unit[rows]),
        p_holm=None,
        accuracy=estimates[f"{one.name}.accuracy"],
        balanced_accuracy=estimates[f"{one.name}.balanced_accuracy"],
        false_positive_rate=estimates[f"{one.name}.false_positive_rate"],
    )
