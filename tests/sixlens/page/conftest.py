from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

import sixlens
from paradigms.evidence import Evidence
from paradigms.region import Region, RegionSource
from sixlens.page import page_picture

NASTY = (
    '<script>alert(1)</script><img src=x onerror=alert(2)>"\' onload=alert(3) x="</style></bdi></p></main>'
    "<svg onload=alert(4)>{{ 7 * 7 }}{% raw %}&lt;b&gt;\u202eevil\u2066\u200f\x1b[31m\x00 "
)
NASTY_NAME = '"><svg onload=alert(1)>.png'
APART = {"td", "th", "dt", "dd", "span", "li", "a"}
VOID = {"meta", "img", "input", "br", "hr", "link", "!doctype"}


class Document(HTMLParser):
    """A page as it is read: its elements with their attributes, its text, and whether every element is closed."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.text += " " if tag in APART else ""
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.text += data

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}

    @property
    def attributes(self) -> set[str]:
        return {name for _, attributes in self.elements for name in attributes}

    def all(self, name: str) -> list[str]:
        return [value or "" for _, attributes in self.elements if (value := attributes.get(name)) is not None]


def sign(number: int, side: str | None, box: tuple[float, float, float, float] | None = None, **more: str) -> Evidence:
    fields = {"name": f"sign {number}", "phenomenon": f"it is seen {number}", "reasoning": f"it matters {number}"}
    region = None if box is None else Region(x0=box[0], y0=box[1], x1=box[2], y1=box[3])
    source = None if box is None else RegionSource.MODEL
    content = {**fields, "points_to": side, "severity": 3, "paradigm": "regional", "region": region, **more}
    return Evidence.model_validate({**content, "region_source": source})


EVIDENCE = (
    sign(1, "generated", (0.1, 0.2, 0.3, 0.5), ordinary_cause="a slow shutter"),
    sign(2, "real", (0.1, 0.2, 0.3, 0.5)),
    sign(3, "generated"),
    sign(4, None, (0.9, 0.9, 1.0, 1.0)),
)


@pytest.fixture
def verdict(photo: Path, script: str) -> sixlens.Verdict:
    """Real in six of six examinations, with regions on both sides."""
    made = sixlens.judge(photo, backend=script, cache=False)
    return made.model_copy(update={"evidence": EVIDENCE})


@pytest.fixture
def picture(photo: Path) -> bytes:
    return page_picture(sixlens.load_image(photo))
