"""Where templates come from, and how what they are filled with is made harmless."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

_TEMPLATES = Path(__file__).with_name("templates")
_MOST_STACKED = 3


@lru_cache(maxsize=8)
def page_environment(*folders: Path) -> jinja2.Environment:
    """Templates of these folders and the common ones. Everything is escaped, and what is missing is an error.

    Filters: `bdi` isolates untrusted text, so that its direction and its marks stay its own.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, _TEMPLATES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["bdi"] = bdi
    return environment


def bdi(text: str) -> Markup:
    """Untrusted text, escaped and isolated, so that text from right to left does not turn what stands around it."""
    return Markup("<bdi>{}</bdi>").format(escape(unstacked(text)))


def unstacked(text: str) -> str:
    """The text with at most three combining marks on one letter: towers of them run over the lines around."""
    kept: list[str] = []
    marks = 0
    for letter in text:
        marks = marks + 1 if unicodedata.combining(letter) or unicodedata.category(letter) == "Me" else 0
        if marks <= _MOST_STACKED:
            kept.append(letter)
    return "".join(kept)
