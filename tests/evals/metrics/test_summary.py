from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.errors import InputError
from evals.judgment import Costs, Vote
from evals.metrics import Summary, summarise
from paradigms.label import Label, Outcome


@pytest.fixture(scope="module")
def summary(table) -> Summary:
    return summarise(table, resamples=200)


def cells(scores) -> tuple[int, int, int, int]:
    return scores.true_positives, scores.false_positives, scores.true_negatives, scores.false_negatives


def test_answered_only(summary: Summary) -> None:
    scores = summary.answered
    assert (scores.n, scores.left_out) == (7, 3)
    assert cells(scores) == (2, 1, 3, 1)
    assert scores.false_positive_rate.value == 1 / 4
    assert scores.miss_rate.value == 1 / 3
    assert scores.accuracy.value == 5 / 7
    assert scores.balanced_accuracy.value == pytest.approx((2 / 3 + 3 / 4) / 2)
    assert scores.macro_f1.value == pytest.approx((2 / 3 + 3 / 4) / 2)


def test_unanswered_as_wrong(summary: Summary) -> None:
    scores = summary.unanswered_as_wrong
    assert (scores.n, scores.left_out) == (10, 0)
    assert cells(scores) == (2, 2, 3, 3)
    assert scores.accuracy.value == 0.5
    assert scores.balanced_accuracy.value == pytest.approx(0.5)
    assert scores.macro_f1.value == pytest.approx((4 / 9 + 6 / 11) / 2)


def test_forced_gives_a_tie_to_real_and_leaves_out_what_nobody_answered(summary: Summary) -> None:
    scores = summary.forced
    assert (scores.n, scores.left_out) == (9, 1)
    assert cells(scores) == (3, 1, 4, 1)
    assert scores.accuracy.value == 7 / 9
    assert scores.macro_f1.value == pytest.approx((3 / 4 + 4 / 5) / 2)


def test_ranking_by_hand(summary: Summary) -> None:
    assert summary.ranked_by == "score"
    assert summary.auc.value == pytest.approx(14.5 / 20)
    assert summary.average_precision.value == pytest.approx((0.5 + 2 * 0.75 + 0.5) / 4)
    assert summary.auc.n == 9


def test_risk_and_coverage_by_hand(summary: Summary) -> None:
    """Three surest with one error, then five with one, then the tie, which falls to real and is right."""
    points = [(point.coverage, point.risk) for point in summary.curves.risk_coverage]
    assert points == [(0.3, 1 / 3), (0.8, 1 / 4), (0.9, pytest.approx(2 / 9))]
    second = 1.2 / 4 + 1.4 / 5 + 1.6 / 6 + 1.8 / 7 + 2 / 8
    assert summary.aurc.value == pytest.approx((3 * (1 / 3) + second + 2 / 9) / 9)


def test_false_positives_of_decided_and_of_all(summary: Summary) -> None:
    found = summary.false_positives
    assert (found.of_decided.events, found.of_decided.n) == (1, 4)
    assert (found.of_all.events, found.of_all.n) == (1, 5)
    assert [(row.name, row.n) for row in found.by_source] == [(None, 5)]


def test_what_a_call_is_worth(summary: Summary) -> None:
    """2 of 5 generated and 1 of 5 real pictures get the call."""
    rare, some, half = summary.worth
    assert rare.right_of_100 == pytest.approx(100 * 0.004 / 0.202)
    assert some.right_of_100 == pytest.approx(100 * 0.04 / 0.22)
    assert half.right_of_100 == pytest.approx(100 * 2 / 3)
    for row in summary.worth:
        assert 0 <= row.low < row.right_of_100 < row.high <= 100


def test_a_call_that_was_never_made_is_worth_nothing_known(judgment) -> None:
    silent = summarise([judgment("a", "r", "r"), judgment("b", "g", "r")], resamples=5)
    assert {row.right_of_100 for row in silent.worth} == {None}


def test_a_call_that_was_never_wrong_may_still_be(judgment) -> None:
    rows = [judgment(f"{side}{place}", side, side) for side in "rg" for place in range(20)]
    rare = summarise(rows, resamples=5).worth[0]
    assert rare.right_of_100 == rare.high == 100
    hit = 0.0125 ** (1 / 20)
    assert rare.low == pytest.approx(100 * 0.01 * hit / (0.01 * hit + 0.99 * (1 - hit)))


def test_generators_and_confusion(summary: Summary) -> None:
    first, second = summary.generators
    assert (first.name, first.n, first.generated, first.called_generated.value) == ("A", 2, 2, 1.0)
    assert (second.name, second.n, second.real, second.undecided, second.errors) == ("B", 3, 1, 1, 1)
    assert (second.called_generated.value, second.called_generated.n) == (0.0, 1)
    assert [(it.of_all.value, it.of_all.n) for it in (first, second)] == [(1.0, 2), (0.0, 3)]
    assert summary.every_real is not None
    assert (summary.every_real.generated, summary.every_real.real, summary.every_real.undecided) == (1, 3, 1)


def test_false_positives_by_source(judgment) -> None:
    rows = [
        judgment("a", "r", "g", source="x"),
        judgment("b", "r", "r", source="x"),
        judgment("c", "r", "r", source="y"),
    ]
    found = summarise([*rows, judgment("d", "r", "u")], resamples=5).false_positives.by_source
    assert [(row.name, row.called_generated.value) for row in found] == [("x", 0.5), ("y", 0.0), (None, None)]


def test_coverage_by_outcome(summary: Summary) -> None:
    coverage = summary.coverage
    assert (coverage.judgments, coverage.generated, coverage.real, coverage.undecided, coverage.errors) == (
        10,
        3,
        4,
        2,
        1,
    )
    assert coverage.undecided_by_reason == {"conflict": 1, "weak": 1}
    assert coverage.errors_by_kind == {"ServerError": 1}
    assert coverage.decided.value == 0.7


def test_coverage_of_a_paradigm(judgment) -> None:
    votes = [Vote(outcome="answered", label="real"), Vote(outcome="answered", label=Label.UNDECIDED)]
    votes += [Vote(outcome=outcome) for outcome in Outcome if outcome is not Outcome.ANSWERED]
    rows = [judgment(f"c{place}", "r", "r", votes={"regional": vote}) for place, vote in enumerate(votes)]
    (found,) = summarise([*rows, judgment("x", "r", "e")], resamples=5).coverage.paradigms
    assert set(found.model_dump(exclude={"paradigm"}).values()) == {1}
    assert found.paradigm == "regional"


def test_expense_keeps_the_unknown_apart(judgment) -> None:
    rows = [
        judgment("a", "r", "r", costs=Costs(cost=0.1, calls=10, output_tokens=100, seconds=1)),
        judgment("b", "r", "r", costs=Costs(cost=0.3, calls=12, seconds=3)),
        judgment("c", "r", "e", costs=Costs(cost=0.2, calls=2, seconds=8)),
    ]
    spent = summarise(rows, resamples=5).expense
    assert (spent.judgments, spent.verdicts) == (3, 2)
    assert spent.cost.total == pytest.approx(0.6)
    assert spent.cost.per_verdict == pytest.approx(0.3)
    assert (spent.calls.mean, spent.calls.median, spent.seconds.p95) == (8, 10, pytest.approx(7.5))
    assert (spent.output_tokens.known, spent.output_tokens.unknown, spent.output_tokens.mean) == (1, 2, 100)
    assert spent.output_tokens.per_verdict is None
    assert (spent.input_tokens.known, spent.input_tokens.total) == (0, None)


def test_one_side_only_leaves_undefined_what_needs_two(judgment) -> None:
    summary = summarise([judgment("a", "r", "r", -1.0), judgment("b", "r", "g", 1.0)], resamples=20)
    for name in ("auc", "average_precision"):
        assert getattr(summary, name).value is None
    assert summary.answered.balanced_accuracy.value is None
    assert summary.answered.macro_f1.value is None
    assert summary.answered.miss_rate.value is None
    assert summary.answered.accuracy.value == 0.5
    assert summary.curves.roc == ()


def test_nothing_answered_is_undefined_and_wrong_only_where_said(judgment) -> None:
    summary = summarise([judgment("a", "r", "e"), judgment("b", "g", "e")], resamples=20)
    assert summary.answered.accuracy.value is None
    assert summary.forced.accuracy.value is None
    assert summary.ranked_by is None
    assert summary.aurc.value is None
    assert summary.unanswered_as_wrong.accuracy.value == 0
    assert summary.coverage.decided.value == 0


def test_an_unlabelled_folder_has_coverage_and_no_scores(judgment) -> None:
    summary = summarise([judgment("a", "-", "g", 1.0), judgment("b", "-", "u", 0.0)], resamples=20)
    assert (summary.unlabelled, summary.coverage.generated, summary.coverage.decided.value) == (2, 1, 0.5)
    assert summary.unanswered_as_wrong.n == 0
    assert summary.auc.value is None
    assert summary.false_positives.by_source == ()


def test_probabilities_rank_where_there_are_any(judgment) -> None:
    rows = [
        judgment("a", "r", "r", 0.9, p_generated=0.1),
        judgment("b", "g", "u", -0.9, p_generated=0.6),
        judgment("c", "g", "u", 0.9, p_generated=0.5),
    ]
    summary = summarise(rows, resamples=20)
    assert (summary.ranked_by, summary.auc.value) == ("p_generated", 1.0)
    assert cells(summary.forced) == (1, 0, 1, 1)
    mixed = summarise([*rows, judgment("d", "r", "r", -1.0)], resamples=20)
    assert (mixed.ranked_by, mixed.auc.value, mixed.auc.n) == ("p_generated", 1.0, 3)


def test_everything_right_has_no_spread_to_resample(judgment) -> None:
    rows = [judgment(f"{side}{place}", side, side, 1.0 if side == "g" else -1.0) for side in "rg" for place in range(8)]
    summary = summarise(rows, resamples=50)
    assert (summary.auc.value, summary.auc.low, summary.auc.high) == (1.0, None, None)
    assert summary.answered.accuracy.low == pytest.approx(0.025 ** (1 / 16))


def test_the_seed_sets_the_intervals(table) -> None:
    one, again, other = (summarise(table, resamples=100, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one.aurc.value == other.aurc.value
    assert (one.aurc.low, one.aurc.high) != (other.aurc.low, other.aurc.high)


def test_it_survives_json(summary: Summary) -> None:
    assert Summary.model_validate_json(summary.model_dump_json()) == summary


@pytest.mark.parametrize("wrong", [{"resamples": 0}, {"seed": -1}, {"level": 1.0}, {"level": 0.0}])
def test_settings_out_of_range_are_refused(table, wrong) -> None:
    with pytest.raises(InputError, match="Resamples must be"):
        summarise(table, **wrong)


ROWS = st.lists(
    st.tuples(
        st.sampled_from("rg-"),
        st.sampled_from("rgue"),
        st.none() | st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]),
        st.none() | st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]),
        st.sampled_from([None, *"abcdefg"]),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, seed=st.integers(0, 9))
def test_order_has_no_influence_and_every_judgment_is_counted(judgment, rows, seed: int) -> None:
    every = [
        judgment(f"c{place // 2}", truth, label, score, p_generated=chance, source=source, repeat=place % 2)
        for place, (truth, label, score, chance, source) in enumerate(rows)
    ]
    summary = summarise(every, resamples=10)
    random.Random(seed).shuffle(every)
    assert summarise(every, resamples=10) == summary
    coverage = summary.coverage
    assert coverage.generated + coverage.real + coverage.undecided + coverage.errors == len(rows)
    for scores in (summary.answered, summary.unanswered_as_wrong, summary.forced):
        assert sum(cells(scores)) == scores.n
        assert scores.n + scores.left_out + summary.unlabelled == len(rows)
    assert summary.answered.n <= summary.forced.n <= summary.unanswered_as_wrong.n
    assert Summary.model_validate_json(summary.model_dump_json()) == summary
