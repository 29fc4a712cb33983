"""Folders are floors: a module imports from its own floor and from those below, never from one above."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("sixlens", "evals", "orchestrator", "fusion", "paradigms", "backends", "prompts")
"""From the face down; `prompts` holds data alone."""
ABOVE_ALL = ("benchmarks", "tests")
MODULES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of every module that is imported anywhere in the code, also inside functions and by name."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, name.name) for name in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield node.lineno, module
            case ast.ImportFrom():
                yield node.lineno, "."
            case ast.Call(func=ast.Name(id="import_module" | "__import__"), args=[ast.Constant(value=str(name)), *_]):
                yield node.lineno, name


def upward(floor: str, code: str) -> list[str]:
    """The imports of a module on `floor` that do not run downwards, with their lines."""
    forbidden = (*FLOORS[: FLOORS.index(floor)], *ABOVE_ALL, "")
    found = imported(ast.parse(code))
    return [f"line {line}: {name}" for line, name in found if name.partition(".")[0] in forbidden]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_downwards_only(path: Path) -> None:
    floor = path.relative_to(ROOT).parts[0]
    assert upward(floor, path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("floor", "code"),
    [
        ("backends", "import paradigms.label"),
        ("backends", "def f():\n    from fusion.verdict import Verdict"),
        ("paradigms", "if TYPE_CHECKING:\n    from orchestrator import judge"),
        ("fusion", "import_module('sixlens.api')"),
        ("evals", "import numpy, sixlens"),
        ("sixlens", "from tests.conftest import picture"),
        ("backends", "from . import errors"),
    ],
)
def test_an_upward_import_is_found_wherever_it_stands(floor: str, code: str) -> None:
    assert len(upward(floor, code)) == 1


def test_downward_imports_and_other_packages_are_let_pass() -> None:
    assert (
        upward("fusion", "import json, fusion.vote\nfrom paradigms.label import Label\nimport backendsomething") == []
    )
