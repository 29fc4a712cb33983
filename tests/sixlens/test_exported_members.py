from __future__ import annotations

import json
import subprocess
import sys

import pytest

import sixlens

HEAVY = ("torch", "transformers", "openai", "anthropic", "langgraph", "langchain_core", "numpy", "PIL", "pydantic")


def test_all_is_sorted_and_complete() -> None:
    assert sixlens.__all__ == sorted(set(sixlens.__all__))
    assert set(sixlens.__all__) == set(sixlens._WHERE) | {"__version__"}
    assert dir(sixlens) == sixlens.__all__


@pytest.mark.parametrize("name", sixlens.__all__)
def test_every_name_is_there_and_comes_from_where_the_table_says(name: str) -> None:
    value = getattr(sixlens, name)
    if name not in ("__version__",):
        assert value.__module__ == sixlens._WHERE[name]
        assert value.__name__ == name


def test_there_is_nothing_else() -> None:
    with pytest.raises(AttributeError, match="'nonsense'"):
        sixlens.nonsense  # noqa: B018


def test_importing_it_loads_nothing_heavy() -> None:
    code = f"import sixlens, sys, json; print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert json.loads(run.stdout) == []
