"""The paradigms and texts that ship, and those in a user's own files."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from backends.errors import UnknownNameError
from backends.yaml_file import build, parse_yaml, read_yaml
from paradigms.common import CommonPrompts
from paradigms.paradigm import Paradigm

SIX = ("defect_query", "regional", "commonsense", "few_shot", "structural", "stereotype")
"""The paradigms of the published method, in its order (arXiv 2504.14245)."""


def paradigm_names() -> tuple[str, ...]:
    """The names of the paradigms that ship, the six first."""
    folder = files("prompts") / "paradigms"
    found = sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))
    return (*SIX, *(name for name in found if name not in SIX))


@lru_cache(maxsize=1)
def load_common() -> CommonPrompts:
    """The texts around the paradigms' own questions."""
    return build(CommonPrompts, parse_yaml(_shipped("common.yaml"), "prompts/common.yaml"), "prompts/common.yaml")


def load_paradigm(name: str) -> Paradigm:
    """A paradigm that ships.

    Raises:
        UnknownNameError: none has this name.
    """
    if name not in paradigm_names():
        raise UnknownNameError("paradigm", name, paradigm_names())
    where = f"prompts/paradigms/{name}.yaml"
    return build(Paradigm, parse_yaml(_shipped(f"paradigms/{name}.yaml"), where), where)


def read_paradigm(path: Path) -> Paradigm:
    """A paradigm in a user's own YAML file.

    Raises:
        ConfigError: the file cannot be read, or is no paradigm.
    """
    data = read_yaml(path)
    if isinstance(data, dict):
        data.pop("$schema", None)
    return build(Paradigm, data, str(path))


def _shipped(path: str) -> str:
    return (files("prompts") / path).read_text("utf-8")
