from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import yaml

from backends.errors import ConfigError, InputError, UnknownNameError
from evals.calibrate.calibrate import CalibrateOptions, CalibrationResult, calibrate
from evals.calibrate.fit import above, fit_of
from evals.calibrate.quality import base_rates, calibration_error, needed, rate, supported
from evals.calibrate.rivals import Comparison
from evals.calibrate.stages import simulate
from evals.calibrate.weights import FitOptions
from evals.calibrate.words import comparison_lines
from evals.judgment import Judgment
from evals.metrics import summarise
from evals.vote_table import VoteTable, one_each, saying
from fusion.calibration import Calibration, PeopleLabels, Rate
from fusion.fitted import judge
from paradigms.label import Label
from tests.evals.simulated import RULES, correlated, judgment, judgments, vote

STRATEGIES = ("log_odds", "stacked")
LABELS = {1: Label.GENERATED, -1: Label.REAL, 0: Label.UNDECIDED}


def run(judged: list[Judgment], strategy: Any = "log_odds", **options: Any) -> CalibrationResult:
    return calibrate(judged, CalibrateOptions(strategy=strategy, **options), rules=RULES)


def with_chances(judged: list[Judgment]) -> list[Judgment]:
    """The same votes, the first voter's with a chance that lies near one half where it is wrong."""
    random = np.random.default_rng(4)

    def stated(it: Judgment) -> Judgment:
        vote = it.votes["p0"]
        sure = 0.9 if vote.label is it.truth else 0.6
        sure = min(max(sure + random.normal(0, 0.1), 0.51), 0.99)
        chance = sure if vote.label is Label.GENERATED else 1 - sure
        return it.model_copy(update={"votes": {**it.votes, "p0": vote.model_copy(update={"p_generated": chance})}})

    return [stated(it) for it in judged]


def test_stated_chances_are_weighed_when_asked_for() -> None:
    judged = with_chances(correlated())
    without, weighed = run(judged, "stacked"), run(judged, "stacked", fit=FitOptions(certainty=True))
    before, after = (it.calibration.measured.in_domain.auc or 0.0 for it in (without, weighed))
    assert after > before + 0.02
    assert weighed.calibration.members["p0"].certainty > 0.5
    said = "Votes come with a p_generated, which is not weighed"
    assert [any(said in line for line in it.words) for it in (without, weighed, run(correlated()))] == [
        True,
        False,
        False,
    ]


def test_chances_that_nobody_weighs_or_states_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"log_odds weighs labels alone.*go with stacked"):
        run(with_chances(correlated(60)), "log_odds", fit=FitOptions(certainty=True))
    with pytest.raises(InputError, match="No vote of this run comes with a p_generated"):
        run(correlated(60), "stacked", fit=FitOptions(certainty=True))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_correlated_voters_lose_to_the_best_and_the_fit_recovers_it(strategy: str) -> None:
    result = run(correlated(), strategy)
    found = result.comparison
    assert found.best_single == "p0"
    assert found.majority < found.best_single_held_out - 0.04
    assert found.fitted >= found.best_single_held_out - 0.01
    assert found.recovers
    assert found.majority_loses
    assert any("recovers the best voter's accuracy" in line for line in result.words)


def test_it_does_not_say_so_when_it_is_not_so() -> None:
    """Voters that err apart from one another: the majority beats each of them, and nothing has to be recovered."""
    result = run(correlated(accuracies=(0.75, 0.74, 0.76), following=0.0))
    assert not result.comparison.majority_loses
    assert not any("recovers" in line for line in result.words)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_file_applies_as_it_was_fitted(strategy: str) -> None:
    judged = correlated(200)
    result = run(judged, strategy, target_fpr=0.15, prior=0.3)
    again = Calibration.model_validate(yaml.safe_load(result.yaml))
    assert again == result.calibration
    table = VoteTable.of(one_each(judged))
    calls = fit_of(again, table.voters).calls(table, again.minimum)
    for row, one in enumerate(judged):
        label, _, _ = judge({name: saying(vote) for name, vote in one.votes.items()}, again)
        assert label is LABELS[int(calls[row])]
    assert set(calls.tolist()) == {1, -1, 0}
    assert len(result.yaml.splitlines()) < 60


def test_chances_mean_what_they_say_on_held_out_cases() -> None:
    result = run(correlated(1500, sources=1), "stacked")
    assert result.calibration.measured.in_domain.ece < 0.03
    assert len(result.held_out) == 1500


def test_the_target_is_kept_and_its_interval_covers_the_rate_to_come() -> None:
    """Over many data sets: the true rate of a fit lies inside the stated interval about as often as it says."""
    covered, kept = 0, 0
    new = VoteTable.of(one_each(correlated(8000, seed=999)))
    for seed in range(12):
        calibration = run(correlated(300, seed=seed, sources=1), target_fpr=0.2).calibration
        calls = fit_of(calibration, new.voters).calls(new, calibration.minimum)
        truth = float((calls[~new.generated] == 1).mean())
        stated = calibration.measured.false_positives
        covered += stated.low <= truth <= stated.high
        kept += truth <= 0.25
    assert covered >= 9
    assert kept >= 11


def test_a_different_source_is_told_apart_from_the_same_one() -> None:
    """In one source the voter says the opposite: held-out folds do not show that, a held-out source does."""
    made = []
    for place, one in enumerate(correlated(300, accuracies=(0.95, 0.6), following=0.0, sources=3)):
        turned = one.source == "s0"
        letters = "".join("g" if (vote.label is Label.GENERATED) is not turned else "r" for vote in one.votes.values())
        made.append(judgment("g" if one.truth is Label.GENERATED else "r", letters, f"c{place}", one.source))
    measured = run(made).calibration.measured
    assert measured.scheme == "5 folds, stratified, cases taken as independent"
    assert measured.leave_one_source_out is not None
    assert measured.leave_one_source_out_because == "3 sources, each held out in turn"
    here, elsewhere = measured.in_domain, measured.leave_one_source_out
    assert here.auc is not None
    assert elsewhere.auc is not None
    assert elsewhere.ece > here.ece + 0.1


def test_without_sources_it_says_that_others_are_unknown() -> None:
    judged = [it.model_copy(update={"source": None}) for it in correlated(100)]
    result = run(judged)
    assert result.calibration.measured.leave_one_source_out is None
    assert any("unknown (no sources are given)" in line for line in result.words)


def test_too_few_photographs_support_no_claim() -> None:
    result = run(correlated(100, accuracies=(0.99, 0.98, 0.99), following=0.0))
    measured = result.calibration.measured
    assert not measured.target_supported
    line = next(line for line in result.words if line.startswith("False-positive rate"))
    assert "50 photographs are too few to show that the target is met: that takes at least 368" in line
    assert f"a rate below {100 * measured.false_positives.high:.1f} of 100" in line
    assert supported(shown(0, 368), 0.01)
    assert not supported(shown(0, 367), 0.01)
    assert not supported(shown(5, 60), 0.1), "5 of 60 is below 10 of 100, and its interval is not"
    assert needed(0.01) == 368


def shown(wrong: int, of: int) -> Rate:
    return rate(np.arange(of) < wrong, np.arange(of))


def test_a_rate_below_the_target_with_an_interval_above_it_is_not_shown() -> None:
    result = run(correlated(120, sources=1), target_fpr=0.1)
    false = result.calibration.measured.false_positives
    assert (false.rate <= 0.1 < false.high, needed(0.1) < false.of) == (True, True)
    assert not result.calibration.measured.target_supported
    assert any("does not show that the target is met" in line for line in result.words)


def test_cases_of_one_source_that_err_alike_widen_the_intervals() -> None:
    hits = np.repeat(np.arange(10) < 2, 10)
    apart, alike = rate(hits, np.arange(100)), rate(hits, np.repeat(np.arange(10), 10))
    assert (apart.units, alike.units) == (100, 10)
    assert alike.low < apart.low < apart.rate == alike.rate < apart.high < alike.high


def test_sources_are_the_units_where_a_side_has_five() -> None:
    many, few = run(correlated(200, sources=7)), run(correlated(200, sources=3))
    assert many.calibration.measured.false_positives.units == 7
    assert few.calibration.measured.false_positives.units == 100
    assert "Intervals take 7 sources of photographs and 7 sources of generated pictures" in many.words[0]
    assert "Intervals take 100 photographs and 100 generated pictures as independent." in few.words[0]


def test_both_ways_of_leaning_are_named() -> None:
    judged = correlated(240, sources=1)[::2] + correlated(240, sources=1)[1:80:2]
    result = run(judged)
    found = result.comparison
    assert found.fitted != found.fitted_even
    line = next(line for line in result.words if line.startswith("Of 100 cases the fit"))
    assert f"({100 * found.fitted_even:.1f} with even odds before the votes, as in `ablate`)" in line


@pytest.mark.parametrize(
    ("interval", "said"),
    [((0.013, 0.153), "is ahead of the best single voter"), ((-0.01, 0.153), "comes up to the best single voter")],
)
def test_a_fit_that_is_ahead_is_said_to_be(interval: tuple[float, float], said: str) -> None:
    found = run(correlated(100)).comparison
    made = {**found.model_dump(), "difference_interval": interval, "recovers": True, "majority_loses": False}
    assert said in list(comparison_lines(Comparison.model_validate(made)))[1]


def test_when_no_threshold_will_do_nothing_is_called_generated() -> None:
    result = run(correlated(200, accuracies=(0.6, 0.6), following=0.0), target_fpr=0.001)
    assert result.calibration.measured.found.count == 0
    assert all(item.right_of_100 is None for item in result.calibration.measured.base_rates)
    assert any("No generated picture is called generated" in line for line in result.words)


def test_refusals_and_bad_options_are_one_line() -> None:
    with pytest.raises(InputError, match="at least 20 labelled cases with votes of each class; here are 15 generated"):
        run(correlated(30))
    with pytest.raises(InputError, match="0 real"):
        run([it for it in correlated(100) if it.truth is Label.GENERATED])
    with pytest.raises(ConfigError, match="target_fpr is a share"):
        run(correlated(60), target_fpr=0.0)
    with pytest.raises(ConfigError, match="minimum"):
        run(correlated(60), minimum=-1)
    with pytest.raises(UnknownNameError, match="Did you mean 'p1'"):
        run(correlated(60), stages=[[["p0"], ["p11", "p2"]]])
    with pytest.raises(ConfigError, match="every voter exactly once"):
        run(correlated(60), stages=[[["p0"], ["p1"]]])


def test_labels_of_people_count() -> None:
    judged = correlated(100)
    turned = {it.sha256: Label.REAL if it.truth is Label.GENERATED else Label.GENERATED for it in judged}
    result = calibrate(judged, rules=RULES, labels=turned)
    before, after = run(judged).calibration, result.calibration
    assert before.people is None
    assert after.people == PeopleLabels(changed=100, added=0)
    assert "100 labels changed by people." in result.words
    assert yaml.safe_load(result.yaml)["people"] == {"changed": 100, "added": 0}
    assert before.members["p0"].generated > 0 > after.members["p0"].generated


def test_labels_of_people_that_the_data_has_or_lacks() -> None:
    judged = correlated(100)
    judged[0] = judged[0].model_copy(update={"truth": None})
    judged[1] = judged[1].model_copy(update={"truth": Label.GENERATED})
    labels = {it.case: Label.GENERATED if place % 2 == 0 else Label.REAL for place, it in enumerate(judged)}
    result = calibrate(judged, rules=RULES, labels=labels)
    assert result.calibration.people == PeopleLabels(changed=1, added=1)
    assert "1 label changed by people, 1 added by people to cases that had none." in result.words


def test_the_prior_moves_the_chance_and_not_the_labels() -> None:
    even, rare = run(correlated(200), target_fpr=0.1), run(correlated(200), target_fpr=0.1, prior=0.1)
    assert {case: it.label for case, it in even.held_out.items()} == {
        case: it.label for case, it in rare.held_out.items()
    }
    assert all(rare.held_out[case].p_generated < it.p_generated for case, it in even.held_out.items())


def test_few_votes_are_below_the_quorum() -> None:
    judged = correlated(100)
    judged += [judgment("g", "g..", f"x{place}") for place in range(20)]
    result = run(judged, target_fpr=0.2)
    assert result.calibration.minimum == 2
    assert {result.held_out[f"x{place}"].label for place in range(20)} == {Label.UNDECIDED}


def test_all_of_one_mind_is_no_crash() -> None:
    rows = [("g", "gg"), ("r", "gg")] * 30
    result = run(judgments(rows), fit=FitOptions(smoothing=0.5))
    assert result.calibration.measured.decided == 0
    assert result.comparison.fitted == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize(
    ("target", "threshold"),
    [(0.0, 4.5), (0.39, 4.5), (0.4, 2.5), (0.6, 1.5), (1.0, -math.inf)],
)
def test_a_threshold_by_hand(target: float, threshold: float) -> None:
    margins = np.array([1.0, 1.0, 2.0, 4.0, 3.0, 5.0])
    wrong = np.array([True, True, True, True, False, False])
    assert above(margins, wrong, target) == threshold


def test_a_threshold_above_everything_lies_beyond() -> None:
    assert above(np.array([1.0, 2.0]), np.array([False, True]), 0.0) == 3.0


def test_a_calibration_error_is_the_same_number_as_in_reports() -> None:
    random = np.random.default_rng(0)
    chance = random.beta(0.3, 0.3, 200).round(2)  # crowded at the ends, with ties
    truth = random.random(200) < 0.8 * chance
    made = [
        Judgment(
            case=f"{place:03}",
            arm="a",
            truth=Label.GENERATED if truth[place] else Label.REAL,
            label=Label.REAL,
            p_generated=chance[place],
        )
        for place in range(200)
    ]
    reported = summarise(made, resamples=1).ece.value
    assert calibration_error(chance, truth, float(truth.mean())) == pytest.approx(reported)


def test_calibration_error_and_base_rates_by_hand() -> None:
    chance, truth = np.array([0.9, 0.9, 0.1, 0.1]), np.array([True, False, False, False])
    assert calibration_error(chance, truth, 0.25) == pytest.approx((2 * 0.4 + 2 * 0.1) / 4)
    # At even prior the one generated case weighs as much as the three real ones.
    assert calibration_error(chance, truth, 0.5) == pytest.approx((abs(0.9 * (2 + 2 / 3) - 2) + 0.1 * 4 / 3) / 4)
    ones = base_rates(shown(8, 10), shown(1, 10))
    assert [item.right_of_100 for item in ones] == pytest.approx([7.5, 47.1, 88.9])
    assert all((item.at_least or 0) < (item.right_of_100 or 0) for item in ones)


def test_an_interval_is_clopper_and_pearsons() -> None:
    assert shown(0, 50).high == pytest.approx(1 - 0.025 ** (1 / 50), abs=1e-6)


def test_stages_by_hand() -> None:
    rows = [("g", "ggg"), ("g", "ggr"), ("r", "rrg"), ("r", "grr"), ("r", "ggr")]
    table = VoteTable.of(one_each(judgments(rows)))
    outcome = simulate(table, (("p0", "p1"), ("p2",)), RULES)
    # Two agree in four of five cases, and there p2 is not asked.
    assert (outcome.stopped, outcome.calls, outcome.calls_saved) == (0.8, 15, 4)
    # Everybody: g, -, r (2 of 3 > .65), r, -. Stopping: g, g, r, r, g.
    assert (outcome.everybody.right, outcome.everybody.decided, outcome.everybody.false_positive_rate) == (0.6, 0.6, 0)
    assert (outcome.early.right, outcome.early.decided) == (0.8, 1.0)
    assert outcome.early.false_positive_rate == pytest.approx(1 / 3, abs=1e-6)
    assert outcome.changed == 0.4
    assert outcome.right_lost == pytest.approx(-0.2)


def test_stopping_early_saves_neither_the_subject_nor_the_panel() -> None:
    rows = [it.model_copy(update={"subject_calls": 1, "panel": vote("g")}) for it in judgments([("g", "ggg")] * 3)]
    outcome = simulate(VoteTable.of(one_each(rows)), (("p0", "p1"), ("p2",)), RULES)
    assert (outcome.calls, outcome.calls_saved, outcome.saved) == (15, 3, 0.2)


def test_stages_that_were_asked_for_are_reported_beside_the_best() -> None:
    result = run(correlated(120), stages=[[["p1"], ["p2"], ["p0"]]])
    assert result.stages is not None
    (asked,) = result.stages.asked_for
    assert asked.stages == (("p1",), ("p2",), ("p0",))
    # One vote is below the quorum of two, so the second stage is always asked.
    assert 0 < asked.stopped < 1
    savings = [it.calls_saved for it in result.stages.best]
    assert savings
    assert savings == sorted(savings, reverse=True)
    for one, other in itertools.permutations(result.stages.best, 2):
        worse = (
            one.calls_saved < other.calls_saved
            or one.right_lost > other.right_lost
            or (one.early.false_positive_rate or 0) > (other.early.false_positive_rate or 0)
        )
        same = (one.calls_saved, one.right_lost) == (other.calls_saved, other.right_lost)
        assert worse or same
    assert any("photographs called generated; right in" in line for line in result.words)
    assert result.stages.calls_known


def test_the_words_claim_no_more_than_the_tool() -> None:
    text = " ".join(run(correlated(100)).words).lower()
    assert not [
        word for word in ("fake", "forged", "authentic", "verified", "detected", "confirmed", "%") if word in text
    ]


def test_a_quorum_of_all_saves_nothing_and_says_so() -> None:
    rules = RULES.model_copy(update={"quorum": 3})
    result = calibrate(correlated(100), rules=rules)
    assert result.stages is not None
    assert result.stages.best == ()
    assert any("No division into two stages saves a call" in line for line in result.words)
