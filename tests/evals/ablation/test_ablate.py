from __future__ import annotations

import pytest

from backends.errors import InputError, UnknownNameError
from evals.ablation.ablate import GAMES, ablate
from evals.judgment import Judgment, Vote
from paradigms.label import Label, Outcome
from tests.evals.simulated import RULES, correlated, judgments, vote

ROWS = [
    ("g", "gg"),
    ("g", "gr"),
    ("g", "rr"),
    ("g", "gu"),
    ("g", "gg"),
    ("r", "rr"),
    ("r", "rr"),
    ("r", "gr"),
    ("r", "rg"),
    ("r", "rr"),
]


def test_subsets_by_hand() -> None:
    found = {it.voters: it for it in ablate(judgments(ROWS), RULES).subsets}
    assert len(found) == 4
    nobody, alone, both = found[()], found[("p0",)], found[("p0", "p1")]
    assert (nobody.accuracy, nobody.balanced_accuracy, nobody.auc, nobody.decided) == (0.5, 0.5, 0.5, 0.0)
    # p0 is right in 4 of 5 and 4 of 5.
    assert (alone.accuracy, alone.balanced_accuracy, alone.quorum) == (0.8, 0.8, 1)
    assert (alone.false_positive_rate, alone.miss_rate, alone.decided, alone.right_of_decided) == (0.2, 0.2, 1.0, 0.8)
    # Majority: g: right, tie, wrong, right, right; r: right, right, tie, tie, right.
    assert both.accuracy == pytest.approx((3 + 0.5 + 3 + 1) / 10)
    # The quorum of two: `gu` has one vote only and stays undecided, as the three ties do.
    assert (both.quorum, both.decided, both.false_positive_rate, both.miss_rate) == (2, 0.6, 0.0, 0.2)
    assert both.right_of_decided == pytest.approx(5 / 6)
    # Leans: g 1, 0, -1, .5, 1; r -1, -1, 0, 0, -1. Pairs won, half for a tie, of 25.
    assert both.auc == pytest.approx((5 + 4 + 1.5 + 5 + 5 - 0 - 0) / 25)


@pytest.mark.parametrize("voters", [2, 3, 6])
def test_shapley_values_sum_to_the_whole_in_every_game(voters: int) -> None:
    found = ablate(correlated(120, [0.9, 0.7, 0.65, 0.8, 0.6, 0.75][:voters]), RULES)
    assert len(found.subsets) == 2**voters
    whole = found.subsets[-1]
    for game in GAMES:
        total = sum(found.shapley[game].values())
        assert total == pytest.approx(getattr(whole, game) - found.worth_of_nobody, abs=1e-12)


def test_few_cases_with_sources_are_split_by_case_and_it_says_so() -> None:
    """With five of each class, holding a source out leaves too few to choose on."""
    rows = [it.model_copy(update={"source": f"s{place}"}) for place, it in enumerate(judgments(ROWS))]
    found = ablate(rows, RULES)
    assert found.scheme.endswith("cases taken as independent; too few cases to hold whole sources out")
    assert 0 <= found.best_subset.held_out <= 1


def test_every_strategy_without_a_model_stands_beside() -> None:
    found = ablate(correlated(), RULES)
    by_name = {it.strategy: it for it in found.fusions}
    assert by_name["panel"].because is not None
    tally, fitted = by_name["tally"], by_name["log_odds"]
    # Three voters: the majority is the side that the tally leans to, and a fit on the other cases recovers the best.
    assert tally.accuracy == pytest.approx(found.everybody)
    assert fitted.accuracy is not None
    assert fitted.accuracy >= found.best_single.held_out - 0.01
    assert fitted.false_positive_rate is not None
    assert fitted.false_positive_rate <= 0.02
    assert "20 labelled cases of each class" in (
        {it.strategy: it for it in ablate(judgments(ROWS), RULES).fusions}["stacked"].because or ""
    )
    words = "\n".join(found.words)
    assert "Fused by tally (counted anew)" in words
    assert "Not known offline: vote" in words


def test_it_stands_beside_the_best_single_voter() -> None:
    found = ablate(correlated(), RULES)
    assert found.best_single.voters == ("p0",)
    assert found.everybody < found.best_single.held_out <= found.best_single.in_hindsight
    assert any("loses to the best single voter" in line for line in found.words)
    assert found.shapley["accuracy"]["p0"] == max(found.shapley["accuracy"].values())


def test_of_many_voters_the_busiest_are_taken_apart_and_it_says_so() -> None:
    rows = correlated(60, [0.7] * 11)
    rows = [it.model_copy(update={"votes": {**it.votes, "p3": vote(".")}}) if n else it for n, it in enumerate(rows)]
    found = ablate(rows, RULES)
    assert found.voters == ("p0", "p1", "p10", "p2", "p4", "p5", "p6", "p7", "p8", "p9")
    assert found.words[0] == "Of 11 voters only the 10 that voted most often are taken apart."


def test_a_score_may_be_the_best_alone() -> None:
    """Fused with the votes, a detector that is better than all of them must not be left out of the comparison."""
    rows = [
        it.model_copy(update={"votes": {**it.votes, "detector": detector(it, place)}})
        for place, it in enumerate(correlated(200, (0.7, 0.65, 0.6)))
    ]
    found = ablate(rows, RULES)
    assert found.best_single.voters == ("detector",)
    assert found.best_single.held_out == pytest.approx(0.9, abs=0.03)
    assert found.voters == ("p0", "p1", "p2")
    assert any("in hindsight detector" in line for line in found.words)
    assert ablate(rows, RULES, voters=["p0", "p1"]).best_single.voters == ("p0",)


def detector(judged: Judgment, place: int) -> Vote:
    """A score that is wrong in every tenth case."""
    right = place % 20 not in (0, 11)
    return Vote(
        outcome=Outcome.ANSWERED,
        label=Label.UNDECIDED,
        score=1.0 if (judged.truth is Label.GENERATED) is right else 0.0,
        eyes=False,
    )


def test_held_out_choice_is_not_the_optimistic_one() -> None:
    """Among voters that only guess, the best in hindsight looks better than it is."""
    found = ablate(correlated(60, [0.5] * 6, following=0.0, seed=5), RULES)
    assert found.best_single.in_hindsight > 0.5
    assert found.best_single.held_out < found.best_single.in_hindsight


def test_labels_of_other_cases_are_refused() -> None:
    with pytest.raises(InputError, match="None of the labels"):
        ablate(judgments(ROWS), RULES, labels={"elsewhere": Label.REAL})


def test_what_people_decided_counts_above_the_data_set() -> None:
    rows = [*ROWS, *ROWS]
    decided = {"c0002": Label.REAL, "c0007-digest": Label.GENERATED, "c0003": Label.UNDECIDED}
    before, after = ablate(judgments(rows), RULES), ablate(judgments(rows), RULES, labels=decided)
    assert (before.n_generated, before.n_real, after.n_generated, after.n_real) == (10, 10, 9, 10)


def test_it_refuses_what_it_cannot_do() -> None:
    with pytest.raises(InputError, match="at least 5 labelled cases"):
        ablate(judgments(ROWS[:6]), RULES)
    with pytest.raises(UnknownNameError, match="Did you mean 'p1'"):
        ablate(judgments(ROWS), RULES, voters=["p11"])
    with pytest.raises(InputError, match="of 10 voters at most; 11 are named"):
        ablate(correlated(40, [0.7] * 11), RULES, voters=[f"p{place}" for place in range(11)])
    with pytest.raises(InputError, match="no votes"):
        ablate(judgments([("g", "x."), ("r", "..")]), RULES)
    twice = [*judgments(ROWS), *(it.model_copy(update={"arm": "b"}) for it in judgments(ROWS))]
    with pytest.raises(InputError, match="One arm and one perturbation"):
        ablate(twice, RULES)
