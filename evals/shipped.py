"""The experiments that ship."""

from __future__ import annotations

from importlib.resources import files


def experiment_names() -> tuple[str, ...]:
    """Their names, in alphabetic order."""
    folder = files("prompts") / "experiments"
    return tuple(sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")))


def shipped_text(name: str) -> str:
    """The YAML text of one of them."""
    return (files("prompts") / "experiments" / f"{name}.yaml").read_text("utf-8")
