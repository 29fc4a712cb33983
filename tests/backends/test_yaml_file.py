from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from backends.errors import ConfigError
from backends.yaml_file import MAX_BYTES, build, parse_yaml, read_yaml


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Wheel(Strict):
    size: int = Field(default=1, ge=1)
    kind: Literal["front", "rear"] = "front"


class Seat(Strict):
    colour: str | tuple[str, ...] = "red"


class Bicycle(Strict):
    wheels: tuple[Wheel, ...] = ()
    seat: Seat = Seat()
    extras: dict[str, Wheel] = {}
    name: str = ""

    @field_validator("name")
    @classmethod
    def _short(cls, value: str) -> str:
        if len(value) > 5:
            raise ValueError("a name has five letters at most")
        return value


def told(data: Any) -> str:
    """The error of building a bicycle."""
    with pytest.raises(ConfigError) as caught:
        build(Bicycle, data, "bike.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestParsing:
    def test_plain_data_comes_out(self) -> None:
        assert parse_yaml("a: [1, 'x', 2.5, null, true]\nb: {c: 'é'}", "x") == {
            "a": [1, "x", 2.5, None, True],
            "b": {"c": "é"},
        }
        assert parse_yaml("", "x") is None

    @pytest.mark.parametrize(
        ("text", "line", "message"),
        [
            ("a: 1\nb: [", 2, "not valid YAML"),
            ("a: b: c", 1, "mapping values"),
            ("a: &x 1\nb: *x", 2, "aliases are not allowed"),
            ("a: 1\nb: 2\na: 3", 3, "'a' is given twice"),
            ("a: {b: 1, b: 2}", 1, "'b' is given twice"),
            ("1: a\n1: b", 2, "'1' is given twice"),
            ("a: !!python/object/apply:os.system ['true']", 1, "constructor"),
            ("a: 2026-13-40", 1, "'2026-13-40' cannot be read as timestamp"),
            ("a: !!int many", 1, "'many' cannot be read as int"),
            ("a: !!bool maybe", 1, "cannot be read as bool"),
            ("a: " + "7" * 5000, 1, "cannot be read as int"),
            ("!!set [1]", 1, "expected a mapping"),
            ("? [a, b]\n: 1", 1, "unhashable"),
            ("a: 1\n---\nb: 2", 2, "another document"),
        ],
    )
    def test_a_mistake_is_one_line_with_its_place(self, text: str, line: int, message: str) -> None:
        with pytest.raises(ConfigError) as caught:
            parse_yaml(text, "x.yaml")
        assert str(caught.value).startswith(f"x.yaml, line {line}: ")
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("tag", ["set", "omap", "pairs", "map", "seq", "str", "int", "float", "bool", "null"])
    @pytest.mark.parametrize("value", ["[1]", "{a: 1}", "x", "[[1, 2]]", "[{a: 1, b: 2}]", "''", "{? {a: b} : 1}"])
    def test_a_tag_on_the_wrong_value_never_crashes(self, tag: str, value: str) -> None:
        for text in (f"!!{tag} {value}", f"a: !!{tag} {value}", f"{{!!{tag} {value}: 1}}"):
            with contextlib.suppress(ConfigError):
                parse_yaml(text, "x")

    @pytest.mark.parametrize("opening", ["[", "{", "- ", "? ", "a: [", "{a: "])
    def test_deep_nesting_is_refused_at_once(self, opening: str) -> None:
        started = time.process_time()
        with pytest.raises(ConfigError):
            parse_yaml(opening * 100_000, "x")
        assert time.process_time() - started < 20

    def test_characters_that_yaml_does_not_allow_are_named(self) -> None:
        with pytest.raises(ConfigError, match="character 5 is not allowed"):
            parse_yaml("a: '\x00'", "x")

    def test_what_a_terminal_could_obey_is_written_out(self) -> None:
        with pytest.raises(ConfigError) as caught:
            parse_yaml("!<tag:%1B[31m> 1", "x")
        assert "\x1b" not in str(caught.value)

    def test_a_large_text_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="larger than"):
            parse_yaml("#" * (MAX_BYTES + 1), "x")


class TestFiles:
    def test_a_file_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "a.yaml"
        path.write_bytes("\ufeffname: ä".encode())
        assert read_yaml(path) == {"name": "ä"}

    @pytest.mark.parametrize(
        ("content", "message"),
        [(b"\xff\xfe", "not UTF-8"), (b"a" * (MAX_BYTES + 1), "larger than"), ("é" * MAX_BYTES, "larger than")],
    )
    def test_unusable_content(self, tmp_path: Path, content: bytes | str, message: str) -> None:
        path = tmp_path / "a.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ConfigError, match=message):
            read_yaml(path)

    def test_a_missing_file_a_folder_and_an_impossible_name(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="No such file"):
            read_yaml(tmp_path / "none.yaml")
        with pytest.raises(ConfigError, match="directory"):
            read_yaml(tmp_path)
        with pytest.raises(ConfigError, match="file name"):
            read_yaml(Path("a\0b"))


class TestBuilding:
    def test_a_model_comes_out(self) -> None:
        assert build(Bicycle, {"wheels": [{"size": 2}]}, "x").wheels == (Wheel(size=2),)

    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            ({"wheeels": []}, "bike.yaml: there is no key 'wheeels'. Did you mean 'wheels'?"),
            ({"wheels": [{"siez": 1}]}, "there is no key 'wheels.#1.siez'. Did you mean 'size'?"),
            ({"extras": {"spare": {"knd": "rear"}}}, "there is no key 'extras.spare.knd'. Did you mean 'kind'?"),
            ({"colour": "blue"}, "there is no key 'colour'. Did you mean 'seat.colour'?"),
            ({"zzz": 1}, "there is no key 'zzz'."),
        ],
    )
    def test_an_unknown_key_names_the_one_that_was_meant(self, data: Any, expected: str) -> None:
        assert told(data).endswith(expected)

    @pytest.mark.parametrize(
        ("data", "start"),
        [
            ({"wheels": [{"size": 2}, {"size": 0}]}, "bike.yaml: wheels.#2.size: Input should be greater"),
            ({"wheels": [{"kind": "side"}]}, "bike.yaml: wheels.#1.kind: Input should be 'front' or 'rear'"),
            ({"name": "too long"}, "bike.yaml: name: a name has five letters at most."),
            ({"seat": {"colour": ["red", 5]}}, "bike.yaml: seat.colour.#2: Input should be a valid string"),
            ({"seat": 3}, "bike.yaml: seat: keys with values are wanted here"),
            (None, "bike.yaml: keys with values are wanted here"),
            ([1], "bike.yaml: keys with values are wanted here"),
        ],
    )
    def test_a_wrong_value_is_placed_where_it_stands_in_the_file(self, data: Any, start: str) -> None:
        assert told(data).startswith(start)

    def test_an_unknown_key_is_told_before_other_mistakes_and_these_are_counted(self) -> None:
        message = told({"wheels": [{"size": 0}], "name": "too long", "saddle": 1})
        assert message.startswith("bike.yaml: there is no key 'saddle'.")
        assert message.endswith("(and 2 more)")

    def test_the_forms_of_one_value_are_not_counted_as_mistakes(self) -> None:
        assert "more" not in told({"seat": {"colour": 3}})

    def test_a_missing_key_is_named(self) -> None:
        class Frame(Strict):
            steel: Wheel
            size: int

        with pytest.raises(ConfigError, match="x: steel: Field required"):
            build(Frame, {"size": 3}, "x")

    def test_keys_cannot_command_the_terminal(self) -> None:
        assert "\x1b" not in told({"extras": {"\x1b[31m": {"size": 0}}})
