from __future__ import annotations

import io
import shutil

import PIL.Image
import pytest

from evals.report import ReportFiles

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
KINDS = {
    "light": {"viewport": {"width": 1100, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1100, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 375, "height": 800}, "color_scheme": "light"},
}


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("kind", KINDS)
def test_a_browser_shows_the_page_and_asks_for_nothing(full: ReportFiles, kind: str) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    said: list[str] = []
    asked: list[str] = []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(**KINDS[kind]).new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(full.page.as_uri())
        shot = PIL.Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        size = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        curve = page.locator("#roc-title").locator("xpath=..").bounding_box()
        shown = page.evaluate("getComputedStyle(document.querySelector('.line.s0')).stroke")
        page.locator("#cases-accused .case details").first.click(position={"x": 5, "y": 5})
        opened = page.locator("#cases-accused .case details").first.get_attribute("open")
        browser.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [full.page.as_uri()]
    assert len(shot.getcolors(1 << 24) or ()) > 50
    assert size[0] <= size[1]
    assert curve["width"] > 300
    assert shown == ("rgb(125, 184, 255)" if kind == "dark" else "rgb(11, 79, 160)")
    assert opened is not None
