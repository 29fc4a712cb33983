from __future__ import annotations

import pytest

from backends.errors import InputError, UnknownNameError
from evals.metrics import compare
from evals.metrics.comparison import Comparison


def arm(judgment, name: str, labels: str, truths: str = "rrrrgggg", **fields):
    """Cases c0, c1, …, with a score of 1, 0 or -1 as their label; a space is a case that the arm does not have."""
    scores = {"g": 1.0, "u": 0.0, "r": -1.0}
    return [
        judgment(f"c{place}", truth, label, scores.get(label), arm=name, **fields)
        for place, (truth, label) in enumerate(zip(truths, labels, strict=True))
        if label != " "
    ]


def test_two_arms_by_hand(judgment) -> None:
    """On c1 … c6; a errs on c1 and c4, b on c2 alone, and c6 is undecided in b."""
    rows = arm(judgment, "a", "rgrrrgg ") + arm(judgment, "b", " rgrggug")
    (found,) = compare(rows, resamples=200)
    assert (found.first, found.second, found.common) == ("a", "b", 6)
    assert (found.first_judgments, found.second_judgments) == (7, 7)
    answered, wrong, forced = found.contrasts
    assert (answered.n, wrong.n, forced.n) == (5, 6, 6)
    assert (answered.mcnemar.only_first_right, answered.mcnemar.only_second_right) == (1, 2)
    assert answered.accuracy.value == pytest.approx(4 / 5 - 3 / 5)
    assert answered.false_positive_rate.value == pytest.approx(0)
    assert answered.balanced_accuracy.value == pytest.approx((2 / 3 + 1) / 2 - (2 / 3 + 1 / 2) / 2)
    assert wrong.accuracy.value == pytest.approx(4 / 6 - 4 / 6)
    assert (forced.mcnemar.both_right, forced.mcnemar.only_first_right) == (2, 2)
    first_area = (2 * 2.5 + 1) / 9
    second_area = (2 * 2.5 + 2) / 9
    assert found.auc.value == pytest.approx(second_area - first_area)


def test_the_better_arm_has_an_interval_above_0(judgment) -> None:
    truths = "r" * 40 + "g" * 40
    rows = arm(judgment, "a", "g" * 20 + "r" * 20 + "g" * 40, truths) + arm(judgment, "b", "r" * 40 + "g" * 40, truths)
    (found,) = compare(rows, resamples=300)
    answered = found.contrasts[0]
    assert answered.accuracy.value == 0.25
    assert 0.1 < answered.accuracy.low < 0.25 < answered.accuracy.high < 0.4
    assert answered.false_positive_rate.high < -0.3
    assert answered.mcnemar.p_value == pytest.approx(2 / 2**20)
    assert found.sampling.real_units == 40


def test_several_arms_are_corrected(judgment) -> None:
    truths = "r" * 8
    rows = arm(judgment, "a", "gggggggg", truths) + arm(judgment, "b", "rrrrrrrr", truths)
    rows += arm(judgment, "c", "gggggrrr", truths)
    pairs = compare(rows, resamples=20)
    assert [(pair.first, pair.second) for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    plain = [pair.contrasts[0].mcnemar.p_value for pair in pairs]
    assert plain == pytest.approx([2 / 256, 2 / 8, 2 / 32])
    assert [pair.contrasts[0].p_holm for pair in pairs] == pytest.approx([6 / 256, 2 / 8, 4 / 32])
    against = compare(rows, reference="b", resamples=20)
    assert [(pair.first, pair.second) for pair in against] == [("b", "a"), ("b", "c")]
    assert against[0].contrasts[0].p_holm == pytest.approx(4 / 256)


def test_repeats_of_a_case_are_one_unit(judgment) -> None:
    rows = [
        row
        for repeat in range(3)
        for row in arm(judgment, "a", "grrrgggg", repeat=repeat) + arm(judgment, "b", "rrrrgggg", repeat=repeat)
    ]
    (found,) = compare(rows, resamples=20)
    test = found.contrasts[0].mcnemar
    assert (found.common, test.test, test.units) == (24, "sign_flip", 8)
    assert (test.only_second_right, test.p_value) == (3, 1.0)


def test_other_perturbations_are_passed_over(judgment) -> None:
    rows = arm(judgment, "a", "rrrrgggg") + arm(judgment, "b", "rrrrgggg", perturbation="blur")
    with pytest.raises(InputError, match="takes two arms under the perturbation 'none'; here is 1"):
        compare(rows)


def test_nothing_in_common_is_undefined(judgment) -> None:
    (found,) = compare(arm(judgment, "a", "rr      ") + arm(judgment, "b", "      gg"), resamples=20)
    assert (found.common, found.auc.value) == (0, None)
    assert {contrast.mcnemar.p_value for contrast in found.contrasts} == {None}
    assert Comparison.model_validate_json(found.model_dump_json()) == found


def test_an_unknown_reference_is_named(judgment) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean"):
        compare(arm(judgment, "six", "rrrrgggg"), reference="sixx")


def test_different_truths_are_refused(judgment) -> None:
    rows = arm(judgment, "a", "rr", "rr") + arm(judgment, "b", "rr", "rg")
    with pytest.raises(InputError, match="give case 'c1' different truths"):
        compare(rows)
