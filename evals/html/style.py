"""The style of a page, and the policy that lets the browser apply it and do nothing else."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

_BASE = Path(__file__).with_name("base.css")


@dataclass(frozen=True, slots=True)
class Style:
    """What stands between `<style>` and `</style>`.

    Raises:
        ValueError: the text could end the element.
    """

    text: str

    def __post_init__(self) -> None:
        if "<" in self.text or "\r" in self.text:
            raise ValueError("a style sheet has no <, and lines that end in \\n: its hash would not hold")

    @property
    def css(self) -> Markup:
        """The text, as it is put into the page."""
        # Style sheets are ours and numbers; nothing untrusted is in them, and `<` was refused.
        return Markup(self.text)

    @property
    def hash(self) -> str:
        """Its SHA-256, as a content security policy writes it."""
        return f"sha256-{base64.b64encode(hashlib.sha256(self.text.encode('utf-8')).digest()).decode('ascii')}"


def base_css() -> str:
    """What all pages share: light, dark, on paper and on a phone; the regions over a picture."""
    return _BASE.read_text("utf-8")


def policy(style: Style) -> str:
    """The content security policy of a page without scripts: this style, embedded pictures, and nothing else."""
    return f"default-src 'none'; img-src data:; style-src '{style.hash}'; base-uri 'none'; form-action 'none'"
