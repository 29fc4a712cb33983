"""Going from one view of the page to another, and what lights up within one, in Debian's Chromium."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sixlens.server.browsing import (
    BLUR,
    DESK,
    GRAIN,
    PHONE,
    Served,
    Visit,
    answer,
    browser,
    drop,
    judge,
    picture,
    script,
    seen,
    serve,
    visit,
)

__all__ = ["browser", "seen", "serve", "visit"]
pytestmark = pytest.mark.browser


def lit(page: Any) -> set[str]:
    return set(page.evaluate("[...document.querySelectorAll('.lit')].map((part) => part.id)"))


def test_a_slow_view_holds_up_no_other_and_covers_none(
    serve: Callable[..., Served], visit: Visit, seen: Path, tmp_path: Path
) -> None:
    served = serve(seen)
    page = visit(served)
    ident = judge(page, picture(tmp_path))
    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name="boat.png").wait_for()
    held: list[Any] = []
    page.route("**/report", lambda route: held.append(route))
    with page.expect_request("**/report"):
        page.goto(f"{served.address}/#/judgment/{ident}")
    page.get_by_role("link", name="Judge").click()
    page.wait_for_selector(".drop")
    page.get_by_role("link", name="History").click()
    page.get_by_role("heading", name="History").wait_for()
    assert page.locator("nav a[aria-current]").all_inner_texts() == ["History"]
    page.unroute("**/report")
    page.get_by_role("link", name="boat.png").click()
    page.wait_for_selector("section.label")
    assert len(held) == 1


def test_a_decision_that_takes_long_covers_nothing(
    serve: Callable[..., Served], visit: Visit, seen: Path, tmp_path: Path
) -> None:
    served = serve(seen)
    page = visit(served)
    judge(page, picture(tmp_path))
    page.goto(f"{served.address}/#/review/{served.json('/v1/reviews')['items'][0]['id']}")
    page.get_by_label("It is generated").check()
    page.get_by_label("Your name").fill("R. Viewer")
    held: list[Any] = []
    page.route("**/v1/reviews/*", lambda route: held.append(route))
    with page.expect_request("**/v1/reviews/*"):
        page.get_by_role("button", name="Decide").click()
    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name="boat.png").wait_for()
    with page.expect_response("**/v1/reviews/*"):
        held[0].continue_()
    page.wait_for_timeout(200)
    assert page.locator("h1").inner_text() == "History"
    assert served.json("/v1/reviews")["waiting"] == 0


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_what_was_chosen_stays_lit_until_the_pointer_moves(
    serve: Callable[..., Served], visit: Visit, seen: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    page = visit(serve(seen), size)
    judge(page, picture(tmp_path))
    for number in (1, 5):
        page.locator(f"#number-{number}").click()
        page.wait_for_timeout(300)  # the browser tells by itself what lies beneath the pointer after the scroll
        own = {f"{part}-{number}" for part in ("region", "number", "evidence")}
        assert lit(page) == own
        page.locator("#evidence-2").hover()
        assert lit(page) == {"region-2", "number-2", "evidence-2"}


def test_while_it_is_under_way_nothing_is_said_of_what_it_shows(
    serve: Callable[..., Served], visit: Visit, tmp_path: Path
) -> None:
    page = visit(serve(script(tmp_path, {"*": answer("real", BLUR, GRAIN)}, seconds=0.3)))
    page.evaluate(
        """() => {
            window.told = [];
            new MutationObserver(() => window.told.push(document.querySelector(".state")?.textContent ?? ""))
                .observe(document.getElementById("main"), { subtree: true, childList: true, characterData: true });
        }"""
    )
    judge(page, picture(tmp_path))
    told = page.evaluate("window.told")
    assert any("under way" in text for text in told)
    assert not any("boat" in text for text in told)


def test_blind_cases_have_numbers_and_lead_to_the_next_one(
    serve: Callable[..., Served], visit: Visit, tmp_path: Path
) -> None:
    served = serve(script(tmp_path, {"*": answer("real", BLUR, GRAIN)}), "--review-share", "1")
    page = visit(served)
    for name in ("a.png", "b.png"):
        judge(page, picture(tmp_path, name))
        page.get_by_role("link", name="Judge", exact=True).click()
    page.get_by_role("link", name=re.compile("Review")).click()
    page.get_by_role("link", name="Case 1").wait_for()
    names = page.locator(".entries .name").all_inner_texts()
    assert names == ["Case 1, without its name", "Case 2, without its name"]
    page.get_by_role("link", name="Case 1").click()
    waiting = [item["id"] for item in served.json("/v1/reviews")["items"]]
    for ident, following in zip(waiting, ("To the next case", "To the list of cases"), strict=True):
        page.wait_for_url(f"**/#/review/{ident}")
        page.get_by_label("It cannot be told").check()
        page.get_by_label("Your name").fill("R. Viewer")
        page.get_by_role("button", name="Decide").click()
        page.get_by_role("link", name=following).click()
    page.get_by_text("No case is here.").wait_for()


def test_a_picture_can_be_pasted(serve: Callable[..., Served], visit: Visit, seen: Path, tmp_path: Path) -> None:
    served = serve(seen)
    page = visit(served)
    page.wait_for_selector(".drop")
    page.evaluate(
        """(data) => {
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "image.png", { type: "image/png" }));
            document.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }));
        }""",
        base64.b64encode(picture(tmp_path).read_bytes()).decode(),
    )
    assert "image.png" in page.locator(".preview").inner_text()
    page.get_by_role("button", name="Judge this picture").click()
    page.wait_for_selector("section.label")
    assert [item["image"]["name"] for item in served.json("/v1/judgments")["items"]] == ["image.png"]


def test_where_the_json_tells_more_than_the_report_it_says_so(
    serve: Callable[..., Served], visit: Visit, seen: Path, tmp_path: Path, declared: Path
) -> None:
    page = visit(serve(seen))
    judge(page, declared)
    assert page.get_by_text("The JSON holds private text of the file").count() == 1
    page.get_by_role("link", name="Judge", exact=True).click()
    judge(page, picture(tmp_path))
    assert page.get_by_text("The JSON holds private text of the file").count() == 0


def test_a_lost_judgment_is_followed_again_when_somebody_asks(
    serve: Callable[..., Served], visit: Visit, tmp_path: Path
) -> None:
    visit.allowed += ["404"]  # type: ignore[attr-defined]
    page = visit(serve(script(tmp_path, {"*": answer("real", BLUR, GRAIN)}, seconds=0.1)))
    page.route("**/events", lambda route: route.fulfill(status=404))
    drop(page, picture(tmp_path))
    page.get_by_role("button", name="Judge this picture").click()
    page.get_by_text("The connection is lost.").wait_for()
    page.unroute("**/events")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector("section.label")
