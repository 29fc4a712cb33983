from __future__ import annotations

import numpy as np
import pytest

from evals.metrics.estimate import Method
from evals.metrics.rate import clopper_pearson, rate
from evals.metrics.sample import Sample


@pytest.mark.parametrize(
    ("events", "n", "low", "high"),
    [(0, 20, 0.0, 0.1684), (5, 10, 0.1871, 0.8129), (1, 10, 0.0025, 0.4450), (20, 20, 0.8316, 1.0)],
)
def test_clopper_pearson_as_in_the_tables(events: int, n: int, low: float, high: float) -> None:
    assert clopper_pearson(events, n) == pytest.approx((low, high), abs=5e-5)


def test_no_event_is_not_known_to_be_none(columns) -> None:
    rows = columns([0] * 20, [0] * 20)
    found = rate(rows.called == 1, rows.truth == 0, Sample.of(rows))
    assert (found.value, found.events, found.n, found.low) == (0.0, 0, 20, 0.0)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 20))
    assert (found.method, found.units) == (Method.CLOPPER_PEARSON, 20)


def test_a_share_of_nothing_is_undefined(columns) -> None:
    rows = columns([1] * 3, [1] * 3)
    found = rate(rows.called == 1, rows.truth == 0, Sample.of(rows))
    assert (found.value, found.n, found.low, found.high, found.method) == (None, 0, None, None, None)


def test_sources_that_agree_within_themselves_count_as_few_cases(columns) -> None:
    """10 sources of 2 equal cases, half of them hits: design effect 20/9, and Student's factor for 10 units."""
    called = [1, 1] * 5 + [0, 0] * 5
    rows = columns([0] * 20, called, source=[row // 2 for row in range(20)])
    found = rate(rows.called == 1, rows.truth == 0, Sample.of(rows))
    effective = 9 * (2.0930 / 2.2622) ** 2
    assert (found.method, found.units, found.value) == (Method.KORN_GRAUBARD, 10, 0.5)
    assert (found.low, found.high) == pytest.approx(clopper_pearson(effective / 2, effective), abs=1e-4)


def test_sources_that_are_alike_do_not_count_as_more_cases(columns) -> None:
    """One hit and one miss in each source: no spread between them, which is taken as that of independent cases."""
    rows = columns([0] * 20, [0, 1] * 10, source=[row // 2 for row in range(20)])
    found = rate(rows.called == 1, rows.truth == 0, Sample.of(rows))
    effective = 20 * (2.0930 / 2.2622) ** 2
    assert (found.low, found.high) == pytest.approx(clopper_pearson(effective / 2, effective), abs=1e-4)


def test_repeats_do_not_pass_for_cases(columns) -> None:
    one = columns([0] * 20, [0] * 20)
    five = one.take(np.repeat(np.arange(20), 5))
    found = rate(five.called == 1, five.truth == 0, Sample.of(five))
    assert (found.n, found.units) == (100, 20)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 20))


def test_repeats_of_one_case_tell_as_much_as_one(columns) -> None:
    rows = columns([0], [0]).take(np.zeros(4, dtype=np.int64))
    found = rate(rows.called == 1, rows.truth == 0, Sample.of(rows))
    assert (found.n, found.units, found.low) == (4, 1, 0.0)
    assert found.high == pytest.approx(0.975)


def test_a_wider_level_is_wider(columns) -> None:
    rows = columns([0] * 20, [1] * 5 + [0] * 15)
    narrow, wide = (rate(rows.called == 1, rows.truth == 0, Sample.of(rows), level) for level in (0.8, 0.99))
    assert wide.low < narrow.low < 0.25 < narrow.high < wide.high
