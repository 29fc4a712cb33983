"""What the folders promise: types, data that ships, and documentation that names what the code reads."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.data.spec import DataSpec
from evals.experiment import Experiment, RaySettings, Variation

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES = ("sixlens", "evals", "orchestrator", "fusion", "paradigms", "backends", "prompts")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MOST_LINES, README_LINES = 500, 120
_VARIABLE = re.compile(r"(?:SIXLENS|OPENAI|ANTHROPIC|OLLAMA|LANGSMITH|HF|XDG)_[A-Z0-9_]+")
_LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)(?:#([^)\s]+))?\)")
_PAPER = "Towards Explainable Fake Image Detection"
_UNSAID = re.compile(r"\b(?:fake|forged|authentic|verified|detected|confirmed)\b", re.IGNORECASE)


def strings(path: Path) -> set[str]:
    """Every string constant in a module."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as they are made for links."""
    titles = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_package_is_typed_and_found() -> None:
    found = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    for name in PACKAGES:
        assert (ROOT / name / "py.typed").is_file(), name
        assert f"{name}*" in found
    assert "py.typed" in PROJECT["tool"]["setuptools"]["package-data"]["*"]
    assert sorted(PACKAGES) == sorted(PROJECT["tool"]["mypy"]["packages"])


@pytest.mark.parametrize("package", PACKAGES)
def test_all_data_of_a_package_ships(package: str) -> None:
    globs = PROJECT["tool"]["setuptools"]["package-data"]
    shipped = {path for glob in (*globs["*"], *globs.get(package, [])) for path in (ROOT / package).glob(glob)}
    data = {path for path in (ROOT / package).rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert data - shipped == set()


def test_no_file_of_code_is_too_long() -> None:
    code = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert [str(path) for path in code if len(path.read_text("utf-8").splitlines()) > MOST_LINES] == []


def test_the_docs_name_every_environment_variable_that_the_code_reads() -> None:
    read = {text for name in PACKAGES for path in (ROOT / name).rglob("*.py") for text in strings(path)}
    variables = {text for text in read if _VARIABLE.fullmatch(text)}
    assert {"SIXLENS_BACKEND", "SIXLENS_CACHE_DIR", "OPENAI_API_KEY"} <= variables
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert {variable for variable in variables if f"`{variable}`" not in page} == set()


def test_the_docs_name_every_setting_of_an_ensemble() -> None:
    settings = yaml.safe_load((ROOT / "prompts" / "defaults.yaml").read_text("utf-8"))
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert {name for name in settings if f"`{name}`" not in page} == set()


def test_the_docs_name_every_setting_of_an_experiment() -> None:
    page = (ROOT / "docs" / "experiments.md").read_text("utf-8")
    settings = {name for model in (Experiment, DataSpec, Variation, RaySettings) for name in model.model_fields}
    assert {name for name in settings if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in _LINK.findall(page.read_text("utf-8")):
        path = page.parent / target
        assert path.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(path), f"{page.name} links to {target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_docs_claim_no_more_than_the_tool(page: Path) -> None:
    said = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    said = " ".join(said.split()).replace(_PAPER, "")
    assert _UNSAID.findall(said) == []


def test_the_readme_is_short_and_links_to_every_page() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= README_LINES
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert pages <= {target for target, _ in _LINK.findall(text)}
