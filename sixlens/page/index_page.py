"""Many verdicts on one page: a list, in the order given, each leading to its own page."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

from evals.html import Style, base_css, data_uri, page_environment, policy
from evals.html.overlay import Side
from fusion.verdict import Verdict
from sixlens.page.clean import Cleaner
from sixlens.page.examinations import side_of
from sixlens.words.labels import LIMITS, label_title
from sixlens.words.verdict import MAX_TEXT

FOLDER = Path(__file__).parent
TEMPLATES = FOLDER / "templates"


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One picture in the list, every text clean."""

    name: str
    said: str
    """The headline, or why there is no verdict."""
    title: str = "No verdict"
    side: Side = "neither"
    dissent: int = 0
    """Examinations that came out against the verdict."""
    href: str | None = None
    """Where its page lies, from the list: names parted by `/`."""
    thumbnail: bytes | None = None
    """What `small_picture` made."""

    @classmethod
    def of(cls, verdict: Verdict, *, href: str, thumbnail: bytes | None = None, include_private: bool = False) -> Self:
        """The entry of a verdict."""
        clean = Cleaner.of(verdict, include_private=include_private)
        return cls(
            name=clean.line(verdict.image.name, 120),
            said=clean.line(verdict.headline, MAX_TEXT),
            title=label_title(verdict),
            side=side_of(verdict.label),
            dissent=len(verdict.dissent),
            href=href,
            thumbnail=thumbnail,
        )

    @classmethod
    def unusable(
        cls, name: str, error: str, *, paths: Iterable[str | None] = (), include_private: bool = False
    ) -> Self:
        """The entry of a picture for which there is no verdict.

        Args:
            name: of the file, without its folder.
            error: why there is no verdict.
            paths: those that may stand in the error; only their last parts are shown.
            include_private: show paths whole.
        """
        clean = Cleaner.knowing(paths, include_private=include_private)
        return cls(name=clean.line(name, 120), said=clean.line(error, MAX_TEXT))

    @property
    def link(self) -> str | None:
        """`href` as an address; it can lead nowhere but beside the list."""
        return None if self.href is None else f"./{quote(os.fsencode(self.href))}"

    @property
    def source(self) -> str | None:
        """The thumbnail as a data URI."""
        return None if self.thumbnail is None else data_uri(self.thumbnail)


def index_page(entries: Iterable[IndexEntry]) -> str:
    """A whole HTML document that lists verdicts in the order given, with how many there are of each label."""
    listed = tuple(entries)
    style = Style(f"{base_css()}{(FOLDER / 'index.css').read_text('utf-8')}")
    counts: dict[tuple[str, Side], int] = {}
    for entry in listed:
        counts[entry.title, entry.side] = counts.get((entry.title, entry.side), 0) + 1
    template = page_environment(TEMPLATES).get_template("index.html")
    return template.render(style=style, policy=policy(style), entries=listed, counts=counts, limits=LIMITS)
