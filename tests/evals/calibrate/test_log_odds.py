from __future__ import annotations

import math

import pytest

from evals.calibrate.log_odds import error_correlations, fit_log_odds
from evals.calibrate.stacked import fit_stacked
from evals.calibrate.weights import FitOptions
from evals.judgment import Vote
from evals.vote_table import VoteTable, one_each, saying
from fusion.calibration import Saying
from paradigms.label import Label, Outcome
from tests.evals.simulated import correlated, judgments

PLAIN = FitOptions(shrink=False)


def table(rows: list[tuple[str, str]]) -> VoteTable:
    return VoteTable.of(one_each(judgments(rows)))


def test_the_ratios_by_hand() -> None:
    # Of 8 generated the voter calls 7 so, of 8 real 2; each answer is credited one case.
    rows = [("g", "g")] * 7 + [("g", "r")] + [("r", "g")] * 2 + [("r", "r")] * 6
    (member,) = fit_log_odds(table(rows), PLAIN).members().values()
    assert member.generated == pytest.approx(math.log((8 / 10) / (3 / 10)))
    assert member.real == pytest.approx(math.log((2 / 10) / (7 / 10)))
    assert (member.undecided, member.certainty, member.score) == (0, 0, None)


def test_what_is_not_answered_says_nothing_and_a_hedge_counts_for_what_it_is() -> None:
    # Hedges come with generated pictures only; refusals do too, but they are no answer.
    rows = [("g", "g")] * 4 + [("g", "u")] * 4 + [("g", "x")] * 9 + [("r", "r")] * 8
    (member,) = fit_log_odds(table(rows), PLAIN).members().values()
    assert member.generated == pytest.approx(math.log((5 / 11) / (1 / 11)))
    assert member.undecided == pytest.approx(math.log((5 / 11) / (1 / 11)))


def test_twins_count_as_one_when_shrunk() -> None:
    rows = [("g", "ggg")] * 30 + [("g", "grr")] * 10 + [("g", "rgg")] * 10
    rows += [("r", "rrr")] * 30 + [("r", "rgg")] * 10 + [("r", "grr")] * 10
    found = table(rows)
    assert error_correlations(found)[1, 2] == pytest.approx(1)
    plain, shrunk = fit_log_odds(found, PLAIN).members(), fit_log_odds(found, FitOptions()).members()
    assert plain["p1"].generated == pytest.approx(plain["p0"].generated)
    assert shrunk["p1"].generated == pytest.approx(shrunk["p0"].generated / 2)


def test_the_stacked_weights_follow_the_better_voter() -> None:
    members = fit_stacked(VoteTable.of(one_each(correlated())), FitOptions()).members()
    spans = {name: it.generated - it.real for name, it in members.items()}
    assert spans["p0"] > 2 * max(spans["p1"], spans["p2"])


def test_a_score_beyond_all_measure_is_none() -> None:
    for value in (math.inf, -math.inf, math.nan, 1e300):
        vote = Vote(outcome=Outcome.ANSWERED, label=Label.UNDECIDED, score=value, eyes=False)
        assert saying(vote) == Saying()


@pytest.mark.parametrize("fit", [fit_log_odds, fit_stacked])
def test_a_score_is_weighed_too(fit: object) -> None:
    made = [
        it.model_copy(
            update={
                "votes": it.votes
                | {
                    "detector": it.votes["p0"].model_copy(
                        update={
                            "label": "undecided",
                            "eyes": False,
                            "score": 10.0 + (place % 2 == 0) + (place % 7) / 10,
                        }
                    )
                }
            }
        )
        for place, it in enumerate(correlated(200))
    ]
    found = VoteTable.of(one_each(made))
    assert (found.voters, found.with_eyes) == (("detector", "p0", "p1", "p2"), ("p0", "p1", "p2"))
    member = fit(found, FitOptions()).members()["detector"]  # type: ignore[operator]
    assert member.score is not None
    assert member.score.weight > 0
    assert 10 < member.score.center < 12
    assert (member.generated, member.real) == (0, 0)
