from __future__ import annotations

from typing import Any

import pytest

from backends.errors import ConfigError
from backends.yaml_file import build
from paradigms.paradigm import AskStep, EachTurn, MeasureStep, Paradigm, UserTurn

VERDICT: dict[str, Any] = {"name": "verdict", "ask": "verdict", "shared": {"question": "Real or generated?"}}
LIST: dict[str, Any] = {"name": "parts", "ask": "text", "picture": False, "shared": {"question": "List the parts."}}


def paper(*turns: Any) -> dict[str, Any]:
    return {"system": "You look.", "turns": list(turns)}


def make(*steps: Any, **fields: Any) -> Paradigm:
    content = {"name": "mine", "version": "1", "title": "Mine", "question": "What?", "steps": list(steps)}
    return build(Paradigm, {**content, **fields}, "mine.yaml")


SHOWN = {"user": [{"picture": "image"}, "Well?"]}


def test_a_paradigm_is_a_chain_of_steps() -> None:
    paradigm = make({"name": "look", "measure": "repetition"}, LIST, VERDICT)
    assert [type(step) for step in paradigm.steps] == [MeasureStep, AskStep, AskStep]
    assert [step.name for step in paradigm.asks] == ["parts", "verdict"]
    assert [step.measure for step in paradigm.measures] == ["repetition"]


def test_a_paradigm_may_only_measure() -> None:
    assert make({"name": "look", "measure": "repetition"}).asks == ()


def test_turns_are_told_apart_by_their_key() -> None:
    each = {"each": "exemplars", "turns": [{"user": [{"picture": "exemplar"}]}, {"assistant": "Real."}]}
    paradigm = make({**VERDICT, "paper": paper(each, SHOWN)}, needs=["exemplars"])
    assert paradigm.asks[0].paper is not None
    assert [type(turn) for turn in paradigm.asks[0].paper.turns] == [EachTurn, UserTurn]


@pytest.mark.parametrize(
    ("steps", "fields", "message"),
    [
        ((LIST,), {}, "last step that asks must be `ask: verdict`"),
        ((VERDICT, {**VERDICT, "name": "again"}), {}, "only the last step"),
        ((LIST, {**VERDICT, "name": "parts"}), {}, "same name"),
        (({**LIST, "name": "subject"}, VERDICT), {}, "may not be called 'subject'"),
        (({**LIST, "name": "answer"}, VERDICT), {}, "may not be called 'answer'"),
        (({**LIST, "name": "Parts"}, VERDICT), {}, "steps.#1.name"),
        (({**LIST, "name": "parts\n"}, VERDICT), {}, "steps.#1.name"),
        (({**VERDICT, "picture": False},), {}, "a verdict needs the picture"),
        (({**VERDICT, "paper": paper({"user": "Well?"})},), {}, "a verdict needs the picture"),
        (({**VERDICT, "paper": paper(SHOWN, {"assistant": "Hm."})},), {}, "last turn must be the user's"),
        (({**VERDICT, "paper": paper({"usr": "Well?"})},), {}, "`user`, `assistant` or `each`"),
        (({**VERDICT, "paper": paper({"user": [{"picture": "exemplar"}]}, SHOWN)},), {}, "inside `each: exemplars`"),
        (({**VERDICT, "shared": {"question": "?", "regions": True}},), {}, r"needs: \[regions\]"),
        (
            ({**VERDICT, "paper": paper({"each": "exemplars", "turns": [{"user": "x"}]}, SHOWN)},),
            {},
            r"needs: \[exemplars\]",
        ),
        (({**LIST, "paper": paper(SHOWN)}, VERDICT), {}, "`picture: false` there is no image"),
        (({**VERDICT, "paper": paper({"assistant": [{"picture": "image"}]}, SHOWN)},), {}, "assistant"),
        ((), {}, "steps"),
        ((VERDICT,), {"needs": ["money"]}, "needs.#1"),
        ((VERDICT,), {"name": "has space"}, "name"),
        ((VERDICT,), {"tittle": "x"}, "Did you mean 'title'"),
        (({**VERDICT, "pictur": True},), {}, "Did you mean 'picture'"),
    ],
)
def test_a_mistake_is_told_in_one_line(steps: tuple[Any, ...], fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        make(*steps, **fields)
    assert "\n" not in str(caught.value)


def test_the_version_of_a_prompt_changes_with_its_content() -> None:
    first = make(VERDICT)
    assert first.prompt_version == make(VERDICT).prompt_version
    assert first.prompt_version.startswith("1+")
    edited = make({**VERDICT, "shared": {"question": "Generated or real?"}})
    assert edited.prompt_version != first.prompt_version


def test_schemas_for_editors_can_be_made() -> None:
    assert "steps" in Paradigm.model_json_schema()["properties"]
