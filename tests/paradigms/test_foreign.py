from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backends.errors import ConfigError
from backends.yaml_file import parse_yaml
from paradigms.foreign import SYSTEM, Imported, import_prompt
from paradigms.library import read_paradigm
from paradigms.paradigm import AssistantTurn, EachTurn, UserTurn

PICTURE = "{image_url}"
ASK = {"payload": [["user", "Made or taken?", PICTURE]], "response_var_name": "result"}


def convert(folder: Path, *conversations: dict[str, Any], **more: Any) -> Imported:
    path = folder / "prompt.json"
    path.write_text(
        json.dumps({"format_version": "3", "name": "Sea Legs", "conversations": conversations} | more), "utf-8"
    )
    return import_prompt(path)


def test_one_question(tmp_path: Path) -> None:
    made = convert(tmp_path, ASK, revision="12")
    paradigm = made.paradigm
    assert (paradigm.name, paradigm.version, paradigm.title, paradigm.needs) == ("sea_legs", "12", "Sea legs", ())
    (step,) = paradigm.asks
    assert (step.name, step.ask, step.shared.question) == ("verdict", "verdict", "Made or taken?")
    assert step.paper is not None
    assert step.paper.system == SYSTEM


def test_the_text_is_a_paradigm_file(tmp_path: Path) -> None:
    examples = [["user", "Taken?", "{few_shot_image_url_0}"], ["assistant", "{few_shot_result_0}"]] * 2
    made = convert(tmp_path, {"payload": [*examples, *ASK["payload"]], "response_var_name": "result"})
    (tmp_path / "sea_legs.yaml").write_text(made.text, "utf-8")
    assert read_paradigm(tmp_path / "sea_legs.yaml") == made.paradigm
    assert parse_yaml(made.text, "x")["name"] == "sea_legs"


def test_a_chain_hands_its_answers_on(tmp_path: Path) -> None:
    made = convert(
        tmp_path,
        {"payload": [["user", "Which ship?", PICTURE]], "response_var_name": "subject"},
        {"payload": [["system", "Be brief."], ["user", "Masts of {subject}?"]], "response_var_name": "Mast Count"},
        {
            "payload": [
                ["system", "You know ships."],
                ["user", "A {subject}.", PICTURE],
                ["assistant", "It has {Mast Count}."],
                ["user", "Count them: {{all}} of them."],
            ],
            "response_var_name": "result",
        },
    )
    ship, masts, verdict = made.paradigm.asks
    assert (ship.name, ship.picture, ship.ask) == ("subject_found", True, "text")
    assert (masts.name, masts.picture, masts.shared.question) == ("mast_count", False, "Masts of {{ subject_found }}?")
    assert verdict.paper is not None
    assert verdict.paper.system == "You know ships."
    first, said, last = verdict.paper.turns
    assert isinstance(first, UserTurn)
    assert first.user[0] == "A {{ subject_found }}."
    assert isinstance(said, AssistantTurn)
    assert said.assistant == "It has {{ mast_count }}."
    assert isinstance(last, UserTurn)
    assert last.user == "Count them: {all} of them."


def test_regions_and_worked_examples_are_those_of_the_ensemble(tmp_path: Path) -> None:
    made = convert(
        tmp_path,
        {
            "decorators": ["roi.own"],
            "payload": [
                ["user", "Taken?", "{few_shot_image_url_0}"],
                ["assistant", "{few_shot_result_0}"],
                ["user", "Taken?", "{few_shot_image_url_1}"],
                ["assistant", "{few_shot_result_1}"],
                ["user", "And this?", PICTURE],
                ["user", "Up close?", "{roi_url}"],
            ],
            "response_var_name": "result",
        },
    )
    assert set(made.paradigm.needs) == {"exemplars", "regions"}
    assert [step.measure for step in made.paradigm.measures] == ["regions"]
    (verdict,) = made.paradigm.asks
    assert verdict.paper is not None
    assert [type(turn) for turn in verdict.paper.turns] == [EachTurn, UserTurn, UserTurn]
    assert verdict.shared.regions
    assert len(verdict.shared.before) == 1
    assert "'roi.own' is code and was left out" in made.notes[0]


@pytest.mark.parametrize(
    ("conversations", "said"),
    [
        ([{**ASK, "response_var_name": "other"}], "must answer to `result`"),
        ([ASK, ASK], "must answer to `result`"),
        ([{**ASK, "payload": [["user", "It is {label}, why?", PICTURE]]}], "which is the truth"),
        ([{**ASK, "payload": [["user", "{a1}", PICTURE]]}], r"no answer of an earlier conversation.*panel"),
        ([{**ASK, "payload": [["user", "{image_url.x}", PICTURE]]}], "no answer of an earlier"),
        ([{**ASK, "payload": [["user", "Look: {", PICTURE]]}], "single braces"),
        ([{**ASK, "payload": [["user", "{{{{ subject }}}}", PICTURE]]}], "which templates use"),
        ([{**ASK, "payload": [["user", "Look.", "{secret_url}"]]}], "has no counterpart here"),
        ([{**ASK, "payload": [["user", "Look.", "file:///etc/passwd"]]}], "has no counterpart here"),
        ([{**ASK, "payload": [["user", "Look."]]}], "a verdict needs the picture"),
        ([{**ASK, "payload": [["narrator", "Look.", PICTURE]]}], r"a turn is \[role, text\]"),
        ([{**ASK, "payload": [["user"]]}], r"a turn is \[role, text\]"),
        ([{**ASK, "payload": [["user", "Taken?", "{few_shot_image_url_0}"]]}], "a worked example is a picture and"),
        ([{**ASK, "payload": [[3]]}], "valid string"),
        ([], "conversations"),
        ([{"response_var_name": "result"}], r"payload: Field required\. docs/paradigms.md shows an example\."),
    ],
)
def test_what_has_no_counterpart_is_one_line(tmp_path: Path, conversations: list[Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        convert(tmp_path, *conversations)
    assert "\n" not in str(caught.value)


def test_two_answers_of_one_name_are_refused(tmp_path: Path) -> None:
    text = {"payload": [["user", "Which?", PICTURE]], "response_var_name": "ship"}
    with pytest.raises(ConfigError, match="two conversations answer to 'ship'"):
        convert(tmp_path, text, text, ASK)
    with pytest.raises(ConfigError, match="no letters"):
        convert(tmp_path, ASK, name="7 7")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"[1]"])
def test_what_is_no_prompt_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "prompt.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        import_prompt(path)
    assert "\n" not in str(caught.value)


def test_another_version_of_the_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"format_version.*docs/paradigms.md shows an example"):
        convert(tmp_path, ASK, format_version="2")
    with pytest.raises(ConfigError, match="No such file"):
        import_prompt(tmp_path / "none.json")
    (tmp_path / "large.json").write_bytes(b" " * 1_000_001)
    with pytest.raises(ConfigError, match="larger than"):
        import_prompt(tmp_path / "large.json")
