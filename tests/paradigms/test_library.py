from __future__ import annotations

from pathlib import Path

import pytest

from backends.errors import ConfigError, UnknownNameError
from paradigms.common import CommonPrompts
from paradigms.library import SIX, load_common, load_paradigm, paradigm_names, read_paradigm

MINE = """
$schema: ./paradigm.schema.json
name: reflections
version: "1"
title: Reflections
question: Do reflections show what is there?
steps:
  - {name: verdict, ask: verdict, shared: {question: Look at reflections.}}
"""


def test_the_six_come_first() -> None:
    assert paradigm_names()[: len(SIX)] == SIX
    assert "direct" in paradigm_names()


@pytest.mark.parametrize("name", paradigm_names())
def test_every_paradigm_that_ships_loads_under_its_own_name(name: str) -> None:
    assert load_paradigm(name).name == name


def test_the_common_texts_load_once() -> None:
    assert isinstance(load_common(), CommonPrompts)
    assert load_common() is load_common()


@pytest.mark.parametrize("name", ["structual", "../common", "", "/etc/passwd", "structural.yaml"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match="no paradigm"):
        load_paradigm(name)


def test_the_nearest_name_is_told() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'structural'"):
        load_paradigm("structual")


def test_a_file_of_ones_own_is_read_with_its_schema_line(tmp_path: Path) -> None:
    path = tmp_path / "reflections.yaml"
    path.write_text(MINE, "utf-8")
    assert read_paradigm(path).title == "Reflections"


@pytest.mark.parametrize("text", ["", "- a", "just words", "name: x", MINE + "\ncolour: red\n"])
def test_another_file_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r"mine\.yaml") as caught:
        read_paradigm(path)
    assert "\n" not in str(caught.value)
