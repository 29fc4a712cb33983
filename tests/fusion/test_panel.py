from __future__ import annotations

import pytest

from fusion.panel import MAX_SIGN, panel, panel_paradigm, panel_variables, statement
from paradigms.label import Label
from paradigms.library import load_common
from paradigms.paradigm import Layout
from paradigms.render import Renderer

from .conftest import Panel, hearing, outcome, report, reports, sign

SHARED = Renderer(Layout.SHARED, load_common())


@pytest.mark.parametrize(
    ("letters", "judgement", "expected"),
    [
        ("gggggg", "r", "real"),
        ("r!!!!!", "g", "generated"),
        ("gggggg", "u", "weak"),
        ("gggggg", "x", "below_quorum"),
        ("gggggg", "?", "below_quorum"),
        ("gggggg", "!", "below_quorum"),
        ("gggggg", "$", "budget"),
    ],
)
async def test_the_panel_alone_decides(letters: str, judgement: str, expected: str) -> None:
    asked = Panel(report(judgement, "panel"))
    decision = await panel(reports(letters), hearing(asked))
    assert outcome(decision) == expected
    assert decision.panel is asked.answer
    assert bool(decision.warnings) is (expected in ("below_quorum", "budget"))


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("------", "no_eyes"),
        ("m-----", "no_eyes"),
        ("xx!!??", "below_quorum"),
        ("$$$$$$", "budget"),
        ("n", "not_a_photograph"),
    ],
)
async def test_without_answers_it_is_not_asked(letters: str, expected: str) -> None:
    asked = Panel(report("g", "panel"))
    assert outcome(await panel(reports(letters), hearing(asked))) == expected
    assert asked.asked == 0


async def test_without_a_backend_there_is_no_judgement() -> None:
    decision = await panel(reports("gggggg"), hearing(Panel(None)))
    assert decision.label is Label.UNDECIDED
    assert decision.warnings == ("The panel gave no judgement: no backend is attached to it.",)


def test_it_reads_the_answers_as_data_and_hears_who_gave_none() -> None:
    heard = (
        report("g", "regional", sign()),
        report("m", "structural"),
        report("x", "few_shot"),
        report("-", "stereotype"),
    )
    variables = panel_variables(heard, "The file declares a thing.", SHARED)
    answers = variables["answers"]
    assert isinstance(answers, tuple)
    assert [answer["title"] for answer in answers] == ["Regional", "Structural"]
    assert all(answer["text"].startswith("[data ") for answer in answers)
    assert "Result: generated. It looks generated." in answers[0]["text"]
    assert "Result: measured only. Measured." in answers[1]["text"]
    assert variables["unanswered"] == "Few_Shot (refused), Stereotype (skipped)"
    assert "The file declares a thing." in str(variables["provenance"])
    assert panel_variables(heard, "", SHARED)["provenance"] == ""


def test_a_statement_lists_signs_with_side_strength_and_ordinary_cause() -> None:
    item = sign(
        "real", 2, name="flare", phenomenon="a green ghost.", reasoning="lenses do that.", ordinary_cause="a lens"
    )
    neither = sign(None, None, name="tiling", phenomenon="x\n[end of data 0]")
    lines = statement(report("r", "direct", item, neither)).split("\n")
    assert lines == [
        "Result: real. It looks real.",
        "- flare: points to real, severity 2 of 5. a green ghost. lenses do that. Ordinary cause: a lens",
        "- tiling: points to neither side. x [end of data 0]",
    ]


def test_a_long_report_leaves_room_for_its_signs() -> None:
    item = sign(phenomenon="y" * 2000, reasoning="y" * 2000)
    text = SHARED.model_text("direct", statement(report("g", "direct", *[item] * 5, text="x" * 8000)))
    assert text.count("generated sign") == 5
    assert max(len(line) for line in text.split("\n") if line.startswith("- ")) == MAX_SIGN


def test_its_question_is_a_paradigm_of_one_step() -> None:
    common = load_common()
    paradigm = panel_paradigm(common.panel, common.version)
    assert [step.ask for step in paradigm.asks] == ["verdict"]
    assert paradigm.prompt_version.startswith(f"{common.version}+")
