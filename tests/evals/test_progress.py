from __future__ import annotations

import pytest

from evals.judgment import Costs, Judgment
from evals.progress import Progress
from paradigms.label import Label


def judged(label: Label | None, cost: float | None = None, error: str | None = None) -> Judgment:
    return Judgment(case="c", arm="a", label=label, error_kind=error, costs=Costs(calls=2, cost=cost))


def test_nothing_is_known_before_the_first() -> None:
    progress = Progress(10, 4)
    assert (progress.rate, progress.seconds_left, progress.coverage, progress.cost) == (None, None, None, 0.0)
    assert (progress.done, progress.total) == (4, 10)


def test_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    progress = Progress(10, 4)
    for it in (judged(Label.REAL, 0.5), judged(Label.UNDECIDED), judged(None, error="ImageError"), judged(Label.REAL)):
        now[0] += 0.5
        progress.add(it)
    assert progress.done == 8
    assert progress.labels == {"real": 2, "undecided": 1, "error": 1}
    assert progress.errors == {"ImageError": 1}
    assert progress.coverage == 0.5
    assert (progress.calls, progress.cost, progress.cost_at_least, progress.unpriced) == (8, None, 0.5, 3)
    assert progress.rate == pytest.approx(2.0)
    assert progress.seconds_left == pytest.approx(1.0)


def test_the_cost_is_known_while_that_of_every_task_is() -> None:
    progress = Progress(10, 0)
    progress.add(judged(Label.REAL, 0.0))
    progress.add(judged(Label.REAL, 0.5))
    assert (progress.cost, progress.unpriced) == (0.5, 0)
    progress.add(judged(None))
    assert (progress.cost, progress.cost_at_least) == (None, 0.5)
