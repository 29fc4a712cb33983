from __future__ import annotations

import pytest

from backends.errors import ConfigError, UnknownNameError
from evals.calibrate.calibrate import CalibrateOptions, calibrate
from evals.judgment import Judgment
from evals.refuse import refuse, refuse_all
from fusion.calibration import Saying
from fusion.strategies import FITTED, STRATEGIES
from fusion.verdict import UndecidedBecause
from paradigms.label import Label, Outcome
from tests.evals.simulated import RULES, correlated, judgment, judgments, vote


def test_a_tally_is_counted_anew() -> None:
    rows = [("g", "gg"), ("g", "gr"), ("r", "rr"), ("r", "g."), ("r", "xx")]
    fused = refuse(judgments(rows), "tally", RULES).judgments
    assert [it.label for it in fused] == ["generated", "undecided", "real", "undecided", "undecided"]
    below = UndecidedBecause.BELOW_QUORUM
    assert [it.undecided_because for it in fused] == [None, UndecidedBecause.CONFLICT, None, below, below]
    assert [it.score for it in fused] == [1.0, 0.0, -1.0, 1.0, None]
    assert {it.arm for it in fused} == {"a / tally"}
    assert [it.costs.calls for it in fused] == [2, 2, 2, 1, 2]
    asked = judgment("g", "gg", "c").model_copy(update={"subject_calls": 1, "panel": vote("g")})
    (fewer,) = refuse([asked], "tally", RULES).judgments
    assert (fewer.costs.calls, fewer.panel) == (3, None)


def test_an_error_stays_one() -> None:
    failed = Judgment(case="c", arm="a", label=None, error="no server", error_kind="ConnectError")
    assert refuse([failed], "tally", RULES).judgments == (failed,)


def test_what_has_no_eyes_does_not_count() -> None:
    one = judgment("g", "gg", "c")
    measured = one.votes["p0"].model_copy(update={"label": Label.UNDECIDED, "eyes": False})
    (fused,) = refuse([one.model_copy(update={"votes": one.votes | {"m": measured}})], "tally", RULES).judgments
    assert (fused.label, fused.score) == (Label.GENERATED, 1.0)


def test_every_strategy_is_fused_or_says_why_not() -> None:
    fused = {it.strategy: it for it in refuse_all(correlated(200), RULES)}
    assert set(fused) == {*STRATEGIES, *FITTED}
    for name in ("vote", "panel", "decisive"):
        assert fused[name].judgments == ()
        assert fused[name].because
    for name in ("tally", *FITTED):
        assert len(fused[name].judgments) == 200
        assert fused[name].because is None
    assert "no source on both sides" in fused["stacked"].how


@pytest.mark.parametrize("strategy", FITTED)
def test_a_fitted_fusion_never_judges_what_it_was_fitted_on(strategy: str) -> None:
    """A voter whose vote goes with the truth inside one source only: whoever had seen that source would follow it."""
    judged = []
    for place, one in enumerate(correlated(240, accuracies=(0.5, 0.5), following=0.0, sources=7)):
        tells = one.source == "s0"
        truth = "g" if one.truth is Label.GENERATED else "r"
        letters = truth if tells else "gr"[place // 2 % 2]
        judged.append(judgment(truth, letters + "gr"[place // 4 % 2], one.case, one.source))
    fused = refuse(judged, strategy, RULES)
    assert "no source on both sides" in fused.how
    held = [abs((it.p_generated or 0) - 0.5) for it in fused.judgments if it.source == "s0"]
    known = calibrate(judged, CalibrateOptions(strategy=strategy), rules=RULES).calibration.members["p0"]  # type: ignore[arg-type]
    assert max(held) < 0.2
    assert known.generated - known.real > 0.3


def test_with_a_calibration_it_is_applied_as_it_stands() -> None:
    judged = correlated(200)
    calibration = calibrate(judged, rules=RULES).calibration
    fused = refuse(judged, "log_odds", RULES, calibration)
    assert fused.how == "with the calibration calibration"
    said = {name: Saying(vote.label) for name, vote in judged[0].votes.items()}
    assert fused.judgments[0].p_generated == calibration.p_generated(said)
    with pytest.raises(ConfigError, match="is of 'log_odds', not of 'stacked'"):
        refuse(judged, "stacked", RULES, calibration)


def test_too_few_cases_are_a_reason_and_a_wrong_name_an_error() -> None:
    assert "20 labelled cases of each class" in (refuse(correlated(30), "stacked", RULES).because or "")
    assert "no votes" in (refuse(judgments([("g", "xx")]), "log_odds", RULES).because or "")
    with pytest.raises(UnknownNameError, match="Did you mean 'tally'"):
        refuse([], "taly", RULES)


def test_refused_answers_are_below_the_quorum_of_a_fit() -> None:
    judged = [*correlated(100), *(judgment("g", "gxx", f"x{place}", f"s{place % 7}") for place in range(10))]
    found = [it for it in refuse(judged, "log_odds", RULES).judgments if it.case.startswith("x")]
    assert {it.undecided_because for it in found} == {UndecidedBecause.BELOW_QUORUM}
    assert all(it.p_generated is None for it in found)
    assert all(it.votes["p1"].outcome is Outcome.REFUSED for it in found)
