from __future__ import annotations

import math

import pytest

from backends.errors import ConfigError
from fusion.calibration import Calibration
from fusion.decision import Decision, count
from fusion.declaration import ProvenanceMode, Ruling, rule
from fusion.explanation import explain, headline
from fusion.fitted import weigh
from fusion.strategies import strategy
from fusion.verdict import Basis, UndecidedBecause
from fusion.vote import tally
from paradigms.label import Cause, Label, Outcome
from paradigms.report import Report

from .conftest import Panel, calibration, hearing, outcome, provenance, report, reports, unfit


def score(value: float | None, name: str = "p3") -> Report:
    """What a member of `kind: score` reports; None for a picture that it does not know."""
    fields = {
        "paradigm": name,
        "title": "Detector",
        "question": "What score?",
        "kind": "score",
        "prompt_version": "score",
    }
    if value is None:
        fields |= {"outcome": Outcome.SKIPPED, "cause": Cause.LACKING}
    else:
        fields |= {"outcome": Outcome.ANSWERED, "label": Label.UNDECIDED, "score": value}
    return Report.model_validate(fields)


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("ggg", "generated"),  # 4: p = .98
        ("rrr", "real"),
        ("grr", "conflict"),  # 0
        ("ggr", "conflict"),  # 2: p = .88
        ("gxx", "below_quorum"),
        ("guu", "below_quorum"),
        ("gu-", "below_quorum"),
        ("g$$", "budget"),
        ("xx!", "below_quorum"),
        ("---", "no_eyes"),
        ("mmm", "no_eyes"),
        ("ugg", "weak"),  # 2
    ],
)
def test_thresholds_decide(letters: str, expected: str) -> None:
    assert outcome(weigh(reports(letters), calibration())) == expected


async def test_the_panel_is_not_asked_and_the_note_is_there() -> None:
    panel = Panel(report("r", "panel"))
    decision = await strategy("log_odds", calibration())(reports("ggg"), hearing(panel))
    assert panel.asked == 0
    assert decision.p_generated == pytest.approx(1 / (1 + math.exp(-4)), abs=1e-4)
    assert decision.calibration == calibration().note


def test_a_better_voter_outweighs_two() -> None:
    """The majority says real, the weights say generated."""
    strong = calibration(
        members={
            "p0": {"generated": 6, "real": -6},
            "p1": {"generated": 1, "real": -1},
            "p2": {"generated": 1, "real": -1},
        }
    )
    assert outcome(weigh(reports("grr"), strong)) == "generated"


def test_below_the_quorum_there_is_no_chance_either() -> None:
    decision = weigh(reports("gxx"), calibration())
    assert (decision.p_generated, decision.calibration) == (None, None)


async def test_a_score_joins_the_fitted_fusion_and_does_not_vote() -> None:
    complete = (*reports("gg"), score(1.5))
    # 2 + 1 + 4: the score's reach ends at 4.
    assert weigh(complete, calibration()).p_generated == pytest.approx(1 / (1 + math.exp(-7)), abs=1e-4)
    votes = count(complete)
    assert (votes.generated, votes.real, votes.undecided) == (2, 0, 0)
    assert (await tally((*reports("-"), score(9.0)), hearing())).undecided_because is UndecidedBecause.NO_EYES


def test_scores_alone_can_decide_and_count_as_seen() -> None:
    alone = calibration(minimum=1)
    decision = weigh((score(9.0),), alone)
    assert outcome(decision) == "generated"
    ruling = rule(decision, (score(9.0),), provenance(), ProvenanceMode.DECIDE)
    assert ruling.basis is Basis.SEEN
    said = headline(ruling, count((score(9.0),)), provenance(), (score(9.0),))
    assert said.startswith("Weighed by a calibration, the picture reads as generated (1 score).")
    assert outcome(weigh((score(None),), alone)) == "no_eyes"


def test_the_words_say_that_it_was_weighed_and_how_well_that_holds() -> None:
    complete = reports("ggg")
    ruling = Ruling(weigh(complete, calibration()), Basis.SEEN)
    said = headline(ruling, count(complete), provenance(), complete)
    assert "reads as generated (3 of 3 say generated, 0 real)" in said
    text = explain(ruling, said, (), (), complete)
    assert "By the calibration toy the chance that the picture is generated is 0.98" in text
    assert unfit([text]) == []


def warnings(decision: Decision) -> str:
    return " ".join(decision.warnings)


def test_another_ensemble_is_warned_of() -> None:
    fitted_on = {"paradigms": {"p0": {"prompt_version": "1+9", "backend": "toy"}, "p1": {"backend": "old"}}}
    made = calibration(fitted_on=fitted_on)
    decision = weigh((*reports("ggg"), report("g", "extra")), made)
    assert "also weighs p3, who did not look here" in warnings(decision)
    assert "has no weight for extra; it does not count" in warnings(decision)
    two = weigh((*reports("ggg"), report("g", "extra"), report("r", "other")), made)
    assert "has no weight for extra, other; they do not count" in warnings(two)
    assert "p0: prompt 1+0, then 1+9; p1: toy, then old" in warnings(decision)
    assert decision.p_generated == weigh(reports("ggg"), calibration()).p_generated


def test_the_same_ensemble_is_not() -> None:
    same = {"paradigms": {"p0": {"prompt_version": "1+0", "backend": "toy"}}}
    complete = (*reports("ggg"), score(0.5))
    assert weigh(complete, calibration(fitted_on=same)).warnings == ()


def test_a_missing_paradigm_is_no_vote() -> None:
    assert weigh(reports("gg"), calibration()).p_generated == weigh(reports("ggx"), calibration()).p_generated


@pytest.mark.parametrize("made", [None, calibration(strategy="stacked")])
def test_the_wrong_calibration_is_an_error(made: Calibration | None) -> None:
    with pytest.raises(ConfigError, match=r"needs a fitted calibration|was fitted for 'stacked'"):
        strategy("log_odds", made)


def test_a_score_has_no_place_on_an_examination() -> None:
    with pytest.raises(ValueError, match="score member"):
        report("g", "p0", score=0.5)
