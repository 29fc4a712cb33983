from __future__ import annotations

import json
from typing import Any

import pytest

from backends.registry import provider_names
from orchestrator.config import ensemble_names
from paradigms.library import paradigm_names


@pytest.mark.parametrize("ensemble", [(), ("measured",), ("six",)])
def test_the_graph_is_mermaid(ensemble: tuple[str, ...], cli: Any) -> None:
    ran = cli("graph", *ensemble)
    assert (ran.code, ran.err) == (0, "")
    assert "graph TD;" in ran.out
    assert all(f"{name} --> fuse;" in ran.out for name in ("regional", "stereotype"))


def test_ensembles(cli: Any) -> None:
    assert [found["name"] for found in json.loads(cli("ensembles", "--json").out)] == list(ensemble_names())
    assert all(f"\n{name} " in cli("ensembles").out for name in ensemble_names())


def test_paradigms(cli: Any) -> None:
    found = json.loads(cli("paradigms", "--json").out)
    assert [paradigm["name"] for paradigm in found] == list(paradigm_names())
    structural = next(paradigm for paradigm in found if paradigm["name"] == "structural")
    assert structural["steps"] == ["repetition (measures)", "components (asks)", "verdict (asks)"]
    assert structural["needs"] == ["subject"]
    assert all(f"\n{name} " in cli("paradigms").out for name in paradigm_names())


def test_backends_say_whether_a_key_is_set_and_never_which(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    ran = cli("backends", "--json")
    found = {info["name"]: info for info in json.loads(ran.out)}
    assert set(found) == set(provider_names())
    assert [name for name, info in found.items() if info["extra"]] == ["hf"]
    assert (found["openai"]["key_set"], found["anthropic"]["key_set"], found["scripted"]["key_set"]) == (
        True,
        False,
        None,
    )
    monkeypatch.setenv("COLUMNS", "100")
    table = cli("backends").out
    assert "secret" not in ran.out + table
    assert "compatible:MODEL@URL" in table
    assert "leave this machine" in table
    # The cell is too narrow for the whole line.
    assert ("none; pip install" in table) is not found["hf"]["available"]
