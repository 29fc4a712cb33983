from __future__ import annotations

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SCHEMAS = ("verdict", "ensemble", "paradigm", "exemplars", "experiment", "calibration")
GENERATED = ("cli.md", *(f"schema/{name}.schema.json" for name in SCHEMAS))


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COLUMNS", "80")
        made: dict[str, str] = runpy.run_path(str(DOCS / "generate.py"))["pages"]()
    return made


@pytest.mark.parametrize("name", GENERATED)
def test_the_checked_in_page_is_what_the_code_says(name: str, pages: dict[str, str]) -> None:
    assert (DOCS / name).read_text("utf-8") == pages[name], "run: python docs/generate.py"


def test_nothing_else_is_generated(pages: dict[str, str]) -> None:
    assert set(pages) == set(GENERATED)


def test_every_command_has_its_page(pages: dict[str, str]) -> None:
    for command in ("judge", "validate", "doctor", "cache clear", "schema", "eval run", "paradigms import"):
        assert f"## `sixlens {command}`" in pages["cli.md"]
