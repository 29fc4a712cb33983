"""How often a view of the labels is right: shares of each side, accuracy, balanced accuracy, macro-F1."""

from __future__ import annotations

import numpy as np

from evals.metrics.arrays import Floats, ratio
from evals.metrics.columns import GENERATED, REAL
from evals.metrics.estimate import Estimate, Record
from evals.metrics.rate import LEVEL, rate
from evals.metrics.resample import Statistic
from evals.metrics.sample import Sample
from evals.metrics.view import View, ViewName


class Scores(Record):
    """One view of the labels, `generated` being the positive side."""

    view: ViewName
    n: int
    left_out: int
    """Labelled cases that are not in this view."""
    false_positive_rate: Estimate
    """Real cases that are called generated."""
    miss_rate: Estimate
    """Generated cases that are called real."""
    accuracy: Estimate
    balanced_accuracy: Estimate
    """Mean of the two sides' recall; None with one side only."""
    macro_f1: Estimate
    """Mean of the two sides' F1; None with one side only."""
    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int


def statistics(view: View) -> dict[str, Statistic]:
    """What of the scores is resampled, by name."""
    cells = _cells(view)
    n = int(view.counted.sum())
    return {
        "balanced_accuracy": Statistic(n, lambda weights: _balanced_accuracy(weights @ cells)),
        "macro_f1": Statistic(n, lambda weights: _macro_f1(weights @ cells)),
    }


def differing(view: View) -> dict[str, Statistic]:
    """What of the scores two arms are compared on, by name."""
    cells = _cells(view)
    n = int(view.counted.sum())
    return {
        "accuracy": Statistic(n, lambda weights: _accuracy(weights @ cells)),
        "balanced_accuracy": Statistic(n, lambda weights: _balanced_accuracy(weights @ cells)),
        "false_positive_rate": Statistic(n, lambda weights: _false_positive_rate(weights @ cells)),
    }


def scores(view: View, resampled: dict[str, Estimate], sample: Sample, level: float = LEVEL) -> Scores:
    """The scores of a view; `resampled` holds the estimates of its `statistics`."""
    real, generated = view.truth == REAL, view.truth == GENERATED
    counted = view.counted
    positive, negative = view.called == GENERATED, view.called == REAL
    labelled = real | generated
    return Scores(
        view=view.name,
        n=int(counted.sum()),
        left_out=int((labelled & ~counted).sum()),
        false_positive_rate=rate(positive, real & counted, sample, level),
        miss_rate=rate(negative, generated & counted, sample, level),
        accuracy=rate(view.called == view.truth, counted, sample, level),
        balanced_accuracy=resampled["balanced_accuracy"],
        macro_f1=resampled["macro_f1"],
        true_positives=int((generated & positive).sum()),
        false_positives=int((real & positive).sum()),
        true_negatives=int((real & negative).sum()),
        false_negatives=int((generated & negative).sum()),
    )


def _cells(view: View) -> Floats:
    """Rows × (true positive, false positive, true negative, false negative), as 0 and 1."""
    pairs = ((GENERATED, GENERATED), (REAL, GENERATED), (REAL, REAL), (GENERATED, REAL))
    columns = [(view.truth == truth) & (view.called == called) for truth, called in pairs]
    return np.stack(columns, axis=1).astype(np.float64)


def _accuracy(counts: Floats) -> Floats:
    return ratio(counts[:, 0] + counts[:, 2], counts.sum(axis=1))


def _false_positive_rate(counts: Floats) -> Floats:
    return ratio(counts[:, 1], counts[:, 1] + counts[:, 2])


def _balanced_accuracy(counts: Floats) -> Floats:
    found = ratio(counts[:, 0], counts[:, 0] + counts[:, 3])
    return (found + 1 - _false_positive_rate(counts)) / 2


def _macro_f1(counts: Floats) -> Floats:
    hits, alarms, passes, misses = counts.T
    errors = alarms + misses
    mean = (ratio(2 * hits, 2 * hits + errors) + ratio(2 * passes, 2 * passes + errors)) / 2
    both = (hits + misses > 0) & (passes + alarms > 0)
    return np.where(both, mean, np.nan)
