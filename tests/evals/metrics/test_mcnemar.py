from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.metrics.mcnemar import holm, mcnemar


def table(both: int, first: int, second: int, neither: int):
    """Right or wrong, pair by pair, of a four-cell table."""
    one = np.repeat([True, True, False, False], [both, first, second, neither])
    other = np.repeat([True, False, True, False], [both, first, second, neither])
    return one, other


def test_few_discordant_pairs_by_hand() -> None:
    """1 against 8: twice (1 + 9) of 512."""
    one, other = table(30, 1, 8, 5)
    found = mcnemar(one, other, np.arange(44))
    assert (found.both_right, found.only_first_right, found.only_second_right, found.both_wrong) == (30, 1, 8, 5)
    assert (found.test, found.units) == ("binomial", 44)
    assert found.p_value == pytest.approx(20 / 512)


def test_the_approval_table_of_the_textbooks() -> None:
    """794, 150, 86, 570: χ² = 64² / 236 = 17.36, p about 3 in 100,000."""
    one, other = table(794, 150, 86, 570)
    p_value = mcnemar(one, other, np.arange(1600)).p_value
    assert p_value == pytest.approx(3.7e-5, rel=0.1)


def test_agreement_is_no_difference() -> None:
    one, other = table(3, 0, 0, 2)
    assert mcnemar(one, other, np.arange(5)).p_value == 1.0
    assert mcnemar(one, other, np.array([0, 0, 1, 1, 2])).p_value == 1.0
    assert mcnemar(one[:0], other[:0], np.arange(0)).p_value is None


def test_units_are_exchanged_whole() -> None:
    """Balances 2 and 1: of the sums 3, 1, -1, -3, two lie as far out as 3."""
    one, other = np.array([True, True, True, True]), np.array([False, False, False, True])
    found = mcnemar(one, other, np.array([0, 0, 1, 2]))
    assert (found.test, found.units, found.p_value) == ("sign_flip", 3, 0.5)


@given(first=st.integers(0, 12), second=st.integers(0, 12))
def test_with_one_discordant_pair_a_unit_both_tests_agree(first: int, second: int) -> None:
    one, other = table(2, first, second, 0)
    alone = mcnemar(one, other, np.arange(len(one)))
    joined = mcnemar(one, other, np.concatenate([[0, 0], np.arange(1, len(one) - 1)]))
    assert joined.test == "sign_flip"
    assert joined.p_value == pytest.approx(alone.p_value)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([0.9, None, 0.5]) == (1.0, None, 1.0)
    assert holm([]) == ()


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_never_lowers(values: list[float]) -> None:
    adjusted = holm(values)
    assert all(value <= after <= 1 for value, after in zip(values, adjusted, strict=True))
    assert sorted(adjusted) == [after for _, after in sorted(zip(values, adjusted, strict=True))]
