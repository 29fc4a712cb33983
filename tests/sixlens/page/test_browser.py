"""The pages in a browser: Debian's Chromium, and axe-core from the npm registry (MPL 2.0, no dependencies)."""

from __future__ import annotations

import dataclasses
import importlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sixlens
from sixlens.page import IndexEntry, index_page, small_picture, verdict_page
from sixlens.words.labels import Title

from .test_verdict_page import changed, nasty_verdict

pytestmark = pytest.mark.browser
AXE = "4.14.1"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PHONE, DESK = (360, 740), (1100, 900)
Visit = Callable[..., Any]


def needed(program: str) -> str:
    """Where a program is. Without it the tests are left out, but not where everything must be tested."""
    found = shutil.which(program)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is needed")
        pytest.skip(f"needs {program}")
    return found


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core."""
    folder = tmp_path_factory.mktemp("axe")
    install = [needed("npm"), "install", "--ignore-scripts", "--no-audit", "--no-fund", f"axe-core@{AXE}"]
    subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=180)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = needed("chromium")
    if not os.environ.get("CI"):
        pytest.importorskip("playwright")
    playwright = importlib.import_module("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Visit]:
    """Opens a page from a file. At the end of the test nothing may have run, been loaded or been complained of."""
    contexts: list[Any] = []
    happened: list[str] = []

    def open_page(text: str, size: tuple[int, int] = DESK, scheme: str = "light") -> Any:
        path = tmp_path / "page.html"
        path.write_text(text, "utf-8")
        width, height = size
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("dialog", lambda dialog: happened.append(f"dialog {dialog.message}"))
        page.on("console", lambda message: happened.append(f"console {message.text}"))
        page.on("pageerror", lambda error: happened.append(f"error {error}"))
        address = path.as_uri()
        page.on("request", lambda it: None if it.url.startswith((address, "data:")) else happened.append(it.url))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert happened == []


def serious(page: Any, axe: str) -> list[str]:
    """What axe finds serious or critical."""
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{item['id']}: {node['html'][:120]}"
        for item in found
        if item["impact"] in ("serious", "critical")
        for node in item["nodes"]
    ]


@pytest.fixture
def listing(verdict: sixlens.Verdict, photo: Path) -> str:
    small = small_picture(sixlens.load_image(photo))
    entry = IndexEntry.of(verdict, href="pages/0001.html", thumbnail=small)
    return index_page([entry, IndexEntry.unusable("x.png", "x.png is no picture"), entry])


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    verdict: sixlens.Verdict, picture: bytes, listing: str, visit: Visit, axe: str, scheme: str, size: tuple[int, int]
) -> None:
    assert serious(visit(verdict_page(verdict, picture), size, scheme), axe) == []
    assert serious(visit(verdict_page(nasty_verdict(verdict), picture, include_private=True), size, scheme), axe) == []
    assert serious(visit(listing, size, scheme), axe) == []


def test_axe_would_find_something(visit: Visit, axe: str) -> None:
    page = visit(
        "<!doctype html><title>t</title><style>p{color:#ccc;background:#fff}</style><img src='data:,'>"
        "<p>hardly to be read</p>"
    )
    assert {line.partition(":")[0] for line in serious(page, axe)} >= {"color-contrast", "image-alt", "html-has-lang"}


@pytest.mark.parametrize("width", [280, 360, 768, 1600])
def test_nothing_runs_and_nothing_runs_over_the_edge(
    verdict: sixlens.Verdict, picture: bytes, visit: Visit, width: int
) -> None:
    nasty = nasty_verdict(verdict)
    long = changed(nasty, headline="x" * 3000, ensemble="Ω" * 200)
    page = visit(verdict_page(long, picture, include_private=True), (width, 700))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for details in page.locator("summary").all():
        details.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("script, svg, iframe, object, [onload], [onerror], [style]").count() == 0


@pytest.mark.parametrize("width", [280, 320, 390])
def test_every_title_fits_the_list_on_a_phone(verdict: sixlens.Verdict, visit: Visit, width: int) -> None:
    entry = IndexEntry.of(verdict, href="pages/0001.html")
    page = visit(index_page([dataclasses.replace(entry, title=title, dissent=6) for title in Title]), (width, 700))
    assert page.locator(".entry .tag").count() == 2 * len(Title)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [280, 320, 390])
def test_no_column_of_the_table_breaks_within_a_word(verdict: sixlens.Verdict, visit: Visit, width: int) -> None:
    page = visit(verdict_page(verdict, None), (width, 700))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # A word that is broken has boxes on two lines.
    broken = """() => [...document.querySelectorAll(".worth th, .worth td")].flatMap((cell) => {
        const text = cell.firstChild, range = document.createRange();
        return [...text.data.matchAll(/\\S+/g)].filter(({ 0: word, index }) => {
            range.setStart(text, index);
            range.setEnd(text, index + word.length);
            return new Set([...range.getClientRects()].map((box) => box.top)).size > 1;
        }).map(([word]) => word);
    })"""
    assert page.evaluate(broken) == []


def test_a_number_leads_to_its_evidence_and_back(verdict: sixlens.Verdict, picture: bytes, visit: Visit) -> None:
    page = visit(verdict_page(verdict, picture))
    outline = "element => getComputedStyle(element).outlineStyle"
    for number in (1, 2, 3):
        page.locator(f"#number-{number}").click()
        assert page.url.endswith(f"#evidence-{number}")
        assert page.locator(f"#evidence-{number}").evaluate(outline) == "solid"
        assert page.locator(f"#region-{number}").evaluate(outline) == "solid"
        page.locator(f"#evidence-{number} a.number").click()
        assert page.url.endswith(f"#region-{number}")
        assert page.locator(f"#region-{number}").evaluate(outline) == "solid"
        assert page.locator(f"#evidence-{number}").evaluate(outline) == "none"


def test_regions_lie_where_they_are_on_the_picture_as_shown(
    verdict: sixlens.Verdict, picture: bytes, visit: Visit
) -> None:
    page = visit(verdict_page(verdict, picture), PHONE)
    shown, region = page.locator(".picture img").bounding_box(), page.locator("#region-1").bounding_box()
    assert (region["x"] - shown["x"]) / shown["width"] == pytest.approx(0.1, abs=0.01)
    assert (region["y"] - shown["y"]) / shown["height"] == pytest.approx(0.2, abs=0.02)
    assert region["width"] / shown["width"] == pytest.approx(0.2, abs=0.01)
    for number in (1, 2, 3):
        box = page.locator(f"#number-{number}").bounding_box()
        assert shown["x"] - 1 <= box["x"]
        assert box["x"] + box["width"] <= shown["x"] + shown["width"] + 6


def test_on_paper_it_is_light_and_everything_is_open(verdict: sixlens.Verdict, picture: bytes, visit: Visit) -> None:
    page = visit(verdict_page(verdict, picture), scheme="dark")
    words = page.locator("details p").first
    assert not words.evaluate("element => element.checkVisibility({contentVisibilityAuto: true})")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert words.evaluate("element => element.checkVisibility() && element.getBoundingClientRect().height > 10")
