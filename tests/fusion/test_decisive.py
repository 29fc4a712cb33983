from __future__ import annotations

import pytest

from fusion.decisive import decisive
from paradigms.evidence import Evidence
from paradigms.label import Label

from .conftest import Panel, hearing, outcome, report, reports, sign

SEVERE = sign("generated", 5)


@pytest.mark.parametrize(
    ("letters", "given", "expected"),
    [
        ("rrrrgg", {4: SEVERE}, "generated"),
        ("rrggrg", {2: SEVERE}, "generated"),
        ("gg----", {0: SEVERE}, "generated"),
        # Nobody supports it, it is not decisive, it is countered, or it comes from somebody who did not accuse.
        ("rrrrrg", {5: SEVERE}, "real"),
        ("rrrrgg", {4: sign("generated", 4)}, "real"),
        ("rrrrgg", {4: sign("generated", None)}, "real"),
        ("rrrrgg", {4: SEVERE, 0: sign("real", 5)}, "real"),
        ("rrrrgg", {0: SEVERE}, "real"),
        ("rrrrgg", {4: sign("real", 5)}, "real"),
        ("uuuuuu", {0: SEVERE}, "below_quorum"),
        ("------", {}, "no_eyes"),
    ],
)
async def test_one_severe_supported_sign_carries_the_case(
    letters: str, given: dict[int, Evidence], expected: str
) -> None:
    heard = tuple(
        report(letter, f"p{index}", *([given[index]] if index in given else [])) for index, letter in enumerate(letters)
    )
    decision = await decisive(heard, hearing())
    assert outcome(decision) == expected
    assert any("One decisive sign" in warning for warning in decision.warnings) is (expected == "generated")


async def test_what_the_votes_say_anyway_needs_no_warning() -> None:
    heard = (report("g", "p", SEVERE), *reports("gggg"))
    decision = await decisive(heard, hearing())
    assert (decision.label, decision.warnings) == (Label.GENERATED, ())


async def test_the_panels_words_are_kept() -> None:
    judgement = report("r", "panel")
    heard = (report("g", "p", SEVERE), *reports("grrrr"))
    decision = await decisive(heard, hearing(Panel(judgement)))
    assert (decision.label, decision.panel) == (Label.GENERATED, judgement)
