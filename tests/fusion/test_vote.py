from __future__ import annotations

import pytest

from fusion.decision import Rules, count
from fusion.verdict import Votes
from fusion.vote import decide, tally, vote_with_panel
from paradigms.label import Label

from .conftest import RULES, Panel, hearing, outcome, report, reports


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        # Of six answers `generated` needs five, of five four; `real` needs four of either.
        ("gggggg", "generated"),
        ("gggggr", "generated"),
        ("ggggrr", "conflict"),
        ("ggggru", "conflict"),
        ("gggguu", "weak"),
        ("ggggr", "generated"),
        ("ggggu", "generated"),
        ("gggrr", "conflict"),
        ("gggg", "generated"),
        ("gggr", "conflict"),
        ("rrrrrr", "real"),
        ("rrrrrg", "real"),
        ("rrrrgg", "real"),
        ("rrrruu", "real"),
        ("rrrggg", "conflict"),
        ("rrrrr", "real"),
        ("rrrg", "real"),
        ("rrgg", "conflict"),
        ("rrrruuu", "weak"),
        # Hedges and everything that is no answer do not make the quorum.
        ("ggg", "below_quorum"),
        ("gggu", "below_quorum"),
        ("gggmmm", "below_quorum"),
        ("gggx?!", "below_quorum"),
        ("uuuuuu", "below_quorum"),
        ("ggggmm", "generated"),
        ("ggggx!", "generated"),
    ],
)
async def test_votes_are_counted_by_the_shipped_rules(letters: str, expected: str) -> None:
    assert outcome(await tally(reports(letters), hearing())) == expected


@pytest.mark.parametrize("label", [Label.GENERATED, Label.REAL])
def test_a_share_is_reached_exactly_at_every_boundary(label: Label) -> None:
    boundaries = [(votes, answered) for answered in range(1, 101) for votes in range(answered // 2 + 1, answered + 1)]
    for votes, answered in boundaries:
        rules = Rules(quorum=1, generated_share=votes / answered, real_share=votes / answered)
        for cast, reached in ((votes, True), (votes - 1, False)):
            given = Votes(**{label.value: cast, "undecided": answered - cast})
            if cast:
                assert (decide(given, rules).label is label) is reached


@pytest.mark.parametrize(("votes", "answered", "share"), [(4, 5, 0.8), (11, 20, 0.55), (7, 10, 0.7), (13, 20, 0.65)])
def test_shares_as_people_write_them(votes: int, answered: int, share: float) -> None:
    rules = Rules(quorum=1, generated_share=share, real_share=0.9)
    assert decide(Votes(generated=votes, undecided=answered - votes), rules).label is Label.GENERATED
    assert decide(Votes(generated=votes - 1, undecided=answered - votes + 1), rules).label is Label.UNDECIDED


@pytest.mark.parametrize("quorum", range(1, 8))
def test_the_quorum_counts_inclusively(quorum: int) -> None:
    rules = RULES.model_copy(update={"quorum": quorum})
    for cast in range(1, 8):
        assert (outcome(decide(Votes(real=cast), rules)) == "real") is (cast >= quorum)


def test_a_share_of_half_or_less_is_no_rule() -> None:
    for share in (0.5, 0.0, 1.01):
        with pytest.raises(ValueError, match="generated_share"):
            Rules(quorum=1, generated_share=share, real_share=0.9)


def test_only_eyes_are_counted() -> None:
    assert count(reports("ggruumx?!-")) == Votes(generated=2, real=1, undecided=2)


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("------", "no_eyes"),
        ("mm----", "no_eyes"),
        ("tttttt", "no_eyes"),
        ("nnnnnn", "not_a_photograph"),
        ("$$$$$$", "budget"),
        ("ggg$$$", "budget"),
        ("gggg$$", "generated"),
        ("rrgg$$", "conflict"),
        ("gggddd", "below_quorum"),
        ("dddddd", "below_quorum"),
        ("xxxxxx", "below_quorum"),
    ],
)
async def test_why_there_is_no_label(letters: str, expected: str) -> None:
    assert outcome(await tally(reports(letters), hearing())) == expected


@pytest.mark.parametrize(
    ("letters", "judgement", "expected"),
    [
        ("gggggg", "g", "generated"),
        ("gggggg", "r", "conflict"),
        ("gggggg", "u", "conflict"),
        ("rrrrrr", "r", "real"),
        ("rrrrrr", "g", "conflict"),
        ("rrrggg", "g", "conflict"),
        ("rrrruuu", "g", "weak"),
        ("ggg", "g", "below_quorum"),
        ("ggg$$$", "g", "budget"),
    ],
)
async def test_a_panel_may_object_but_never_give_a_label_of_its_own(
    letters: str, judgement: str, expected: str
) -> None:
    panel = Panel(report(judgement, "panel"))
    decision = await vote_with_panel(reports(letters), hearing(panel))
    assert outcome(decision) == expected
    assert decision.panel is panel.answer
    assert panel.asked == 1


async def test_an_objection_is_a_warning_with_both_words() -> None:
    decision = await vote_with_panel(reports("gggggg"), hearing(Panel(report("r", "panel"))))
    assert decision.warnings == ("The votes say generated, but the panel says real.",)


@pytest.mark.parametrize("letter", ["x", "?", "!", "$", "d"])
async def test_without_the_panels_judgement_the_votes_stand_and_it_is_said(letter: str) -> None:
    judgement = report(letter, "panel")
    decision = await vote_with_panel(reports("gggggr"), hearing(Panel(judgement)))
    assert outcome(decision) == "generated"
    assert decision.panel is judgement
    assert decision.warnings == (f"The panel gave no judgement ({judgement.reason}); the votes stand alone.",)


async def test_without_a_panel_the_votes_stand() -> None:
    decision = await vote_with_panel(reports("gggggr"), hearing(Panel(None)))
    assert (outcome(decision), decision.panel, decision.warnings) == ("generated", None, ())


@pytest.mark.parametrize("letters", ["------", "mm----", "xxxxxx", "!!!x??", "nnnnnn", "$$$$$$"])
async def test_the_panel_is_not_asked_when_there_is_nothing_to_combine(letters: str) -> None:
    panel = Panel(report("g", "panel"))
    decision = await vote_with_panel(reports(letters), hearing(panel))
    assert panel.asked == 0
    assert decision.label is Label.UNDECIDED
