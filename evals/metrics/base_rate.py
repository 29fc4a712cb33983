"""What a call of `generated` is worth where generated pictures are rare or common."""

from __future__ import annotations

from evals.metrics.columns import GENERATED, REAL, Columns
from evals.metrics.estimate import Record
from evals.metrics.rate import LEVEL, rate
from evals.metrics.sample import Sample

BASE_RATES = (0.01, 0.1, 0.5)


class Worth(Record):
    """Of 100 pictures called generated, how many would be right."""

    base_rate: float
    """The share of generated pictures among those that come in."""
    right_of_100: float | None
    """None when nothing was called generated, or one side has no cases."""
    low: float | None
    high: float | None


def worth(columns: Columns, sample: Sample, level: float = LEVEL) -> tuple[Worth, ...]:
    """By Bayes' rule, at each of `BASE_RATES`.

    Both shares are of all labelled cases, undecided and failed ones included: what counts is how often a picture that
    comes in gets the call. The interval takes the worst corner of both shares' intervals, each at the level 1 - α/2,
    so that it holds at 1 - α at least.
    """
    called, wider = columns.called == GENERATED, (1 + level) / 2
    hit = rate(called, columns.truth == GENERATED, sample, wider)
    alarm = rate(called, columns.truth == REAL, sample, wider)
    if hit.value is None or alarm.value is None or not (hit.events or alarm.events):
        return tuple(Worth(base_rate=base, right_of_100=None, low=None, high=None) for base in BASE_RATES)
    return tuple(
        Worth(
            base_rate=base,
            right_of_100=_right(base, hit.value, alarm.value),
            low=_right(base, hit.low or 0.0, alarm.high or 0.0),
            high=_right(base, hit.high or 0.0, alarm.low or 0.0),
        )
        for base in BASE_RATES
    )


def _right(base: float, hit: float, alarm: float) -> float:
    right, wrong = base * hit, (1 - base) * alarm
    return 100 * right / (right + wrong)
