from __future__ import annotations

import pytest

from evals.metrics.columns import read
from evals.metrics.repeats import repeat_summary


def judged(judgment, *repeats: str, truths: str = "rrgg"):
    """One string of labels a repeat; a space is a case that was not judged."""
    return read(
        judgment(f"c{place}", truth, label, {"g": 1.0, "r": -1.0}.get(label), repeat=repeat)
        for repeat, labels in enumerate(repeats)
        for place, (truth, label) in enumerate(zip(truths, labels, strict=True))
        if label != " "
    )


def test_three_repeats_by_hand(judgment) -> None:
    """Accuracies 1, 1/2 and 1/2 of the decided; only c0 and c3 end alike each time, c3 being judged twice."""
    found = repeat_summary(judged(judgment, "rrgg", "rgrg", "rgu "))
    assert [scores.accuracy for scores in found.repeats] == [1.0, 0.5, 0.5]
    assert [scores.decided for scores in found.repeats] == [4, 4, 2]
    assert [scores.false_positive_rate for scores in found.repeats] == [0.0, 0.5, 0.5]
    assert [scores.miss_rate for scores in found.repeats] == [0.0, 0.5, None]
    assert [scores.auc for scores in found.repeats] == [1.0, 0.5, None]
    assert found.accuracy.mean == pytest.approx(2 / 3)
    assert found.accuracy.deviation == pytest.approx((0.25 / 3) ** 0.5)
    assert (found.miss_rate.repeats, found.miss_rate.mean) == (2, 0.25)
    assert (found.unanimous.events, found.unanimous.n) == (2, 4)
    assert found.pairwise == pytest.approx((1 + 1 / 3 + 0 + 1) / 4)


def test_an_error_each_time_is_alike(judgment) -> None:
    found = repeat_summary(judged(judgment, "e", "e", truths="r"))
    assert (found.unanimous.value, found.pairwise) == (1.0, 1.0)
    assert (found.accuracy.repeats, found.accuracy.mean, found.accuracy.deviation) == (0, None, None)


def test_one_repeat_says_nothing_of_agreement(judgment) -> None:
    found = repeat_summary(judged(judgment, "rrgg"))
    assert (found.unanimous.value, found.pairwise, found.accuracy.deviation) == (None, None, None)
    assert found.accuracy.mean == 1.0
