"""The page of `sixlens serve` in Debian's Chromium, against a server of its own on the loopback address."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sixlens.server.browsing import (
    BLUR,
    DESK,
    EDGES,
    GRAIN,
    NASTY,
    NASTY_NAME,
    NEVER,
    PHONE,
    TOKEN,
    Served,
    Visit,
    answer,
    axe,
    browser,
    drop,
    fits,
    judge,
    picture,
    script,
    seen,
    serious,
    serve,
    sign,
    visit,
)

__all__ = ["axe", "browser", "seen", "serve", "visit"]
pytestmark = pytest.mark.browser


def test_before_the_upload_it_says_where_the_picture_goes(
    serve: Callable[..., Served], visit: Visit, seen: Path
) -> None:
    served = serve(seen)
    known = served.json("/v1/ensembles")
    page = visit(served)
    for item in known["items"]:
        page.get_by_label("How it is examined").select_option(item["name"])
        assert page.locator(".goes").inner_text() == item["picture"]
        assert all(one["spec"] in page.locator(".destination").inner_text() for one in item["backends"])
    assert page.locator(".tag.hosted").count() == 0
    for item in known["items"]:
        item["hosted"], item["backends"] = (
            True,
            [{"spec": "a:b", "destination": "c", "hosted": True, "missing_key": None}],
        )
    page.route("**/v1/ensembles", lambda route: route.fulfill(json=known))
    page.reload()
    page.wait_for_selector(".tag.hosted")
    assert page.locator(".tag.hosted").inner_text() == "Leaves this server"
    assert page.get_by_role("button", name="Judge this picture").is_disabled()
    assert served.json("/v1/judgments")["items"] == []


def test_the_examinations_arrive_one_by_one_and_then_the_verdict(
    serve: Callable[..., Served], visit: Visit, tmp_path: Path
) -> None:
    verdicts = {"*": answer("real", BLUR, GRAIN), "structural": answer("generated", EDGES)}
    served = serve(script(tmp_path, verdicts, seconds=0.35))
    page = visit(served)
    drop(page, picture(tmp_path))
    page.evaluate(
        """() => {
            window.arrived = [];
            new MutationObserver(() => {
                const done = [...document.querySelectorAll(".paradigm.done h2 bdi")].map((title) => title.textContent);
                if (done.length > (window.arrived.at(-1) ?? []).length) window.arrived.push(done);
            }).observe(document.getElementById("main"), { subtree: true, childList: true, attributes: true });
        }"""
    )
    page.get_by_role("button", name="Judge this picture").click()
    page.wait_for_selector(".paradigm")
    assert page.locator(".paradigm").count() == 6
    page.wait_for_selector("section.label")
    assert [len(done) for done in page.evaluate("window.arrived")] == [1, 2, 3, 4, 5, 6]
    ident = page.url.rpartition("/")[2]
    verdict = served.json(f"/v1/judgments/{ident}")["verdict"]
    assert page.locator(".label .headline").inner_text() == verdict["headline"]
    assert page.evaluate("document.activeElement.id") == "label"
    words = page.locator("main").inner_text()
    for text in (*verdict["next_steps"], *(item["reason"] for item in verdict["dissent"]), "What this does not mean"):
        assert text in words
    assert NEVER.search(words) is None
    report = served.get(f"/v1/judgments/{ident}/report").decode()
    flat = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", report))
    for section in ("meaning", "limits", "provenance", "yours"):
        for line in page.locator(f"section[aria-labelledby={section}] > ul li").all_inner_texts():
            assert line.replace("'", "&#39;") in flat


def test_regions_and_evidence_lead_to_each_other(
    serve: Callable[..., Served], visit: Visit, seen: Path, tmp_path: Path
) -> None:
    page = visit(serve(seen))
    judge(page, picture(tmp_path))
    shown, region = page.locator(".picture img").bounding_box(), page.locator("#region-1").bounding_box()
    assert (region["x"] - shown["x"]) / shown["width"] == pytest.approx(0.1, abs=0.02)
    assert region["height"] / shown["height"] == pytest.approx(0.35, abs=0.02)
    page.locator("#evidence-1").hover()
    assert "lit" in page.locator("#region-1").get_attribute("class")
    page.locator("#number-1").focus()
    assert "lit" in page.locator("#evidence-1").get_attribute("class")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "evidence-1"
    page.locator("#evidence-1 a.number").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "number-1"
    names = {page.locator(f"#evidence-{number} h4 bdi").inner_text() for number in (1, 2)}
    assert names <= {BLUR["name"], EDGES["name"]}
    assert "/judgment/" in page.url


def test_a_picture_that_is_not_kept_is_shown_from_this_browser_alone(
    serve: Callable[..., Served], visit: Visit, tmp_path: Path
) -> None:
    served = serve(script(tmp_path, {"*": answer("real", BLUR, GRAIN)}), "--review-share", "0")
    page = visit(served)
    ident = judge(page, picture(tmp_path))
    assert page.locator(".picture img[src^='blob:']").count() == 1
    for number in range(1, 7):
        page.locator(f"#number-{number}").click()
        assert page.evaluate("document.activeElement.id") == f"evidence-{number}"
        assert BLUR["name"] in page.locator(f"#evidence-{number}").inner_text()
    assert served.json(f"/v1/judgments/{ident}")["image"]["kept"] is False
    page.reload()
    page.get_by_text("The picture is not kept any more.").wait_for()
    assert page.locator(".evidence").count() == 12
    assert page.locator("a.number").count() == 0


def test_an_address_can_be_given_only_where_the_server_fetches_any(
    serve: Callable[..., Served], visit: Visit, seen: Path, tmp_path: Path
) -> None:
    without = visit(serve(seen))
    without.wait_for_selector(".drop")
    assert without.get_by_label("Or its address").count() == 0
    visit.allowed += ["422"]  # type: ignore[attr-defined]
    served = serve(seen, "--allow-urls", "--data-dir", str(tmp_path / "other"))
    page = visit(served)
    send = page.get_by_role("button", name="Judge this picture")
    drop(page, picture(tmp_path))
    page.get_by_label("Or its address").fill("http://127.0.0.1:1/a.png")
    assert page.locator(".preview").is_hidden()
    page.get_by_label("Or its address").fill("")
    assert send.is_disabled()
    drop(page, picture(tmp_path))
    page.get_by_label("Or its address").fill("http://127.0.0.1:1/a.png")
    send.click()
    page.get_by_role("heading", name="There is no verdict").or_(page.locator("form .problem:not(:empty)")).wait_for()
    [item] = served.json("/v1/judgments")["items"]
    assert (item["image"]["name"], item["error"]["kind"]) == ("a.png", "picture")


def test_without_a_model_it_says_that_nobody_has_looked(
    serve: Callable[..., Served], visit: Visit, tmp_path: Path
) -> None:
    served = serve(None, "--ensemble", "measured")
    page = visit(served)
    ident = judge(page, picture(tmp_path))
    assert page.locator("h1").inner_text() == "Nobody has looked"
    assert page.locator(".headline").inner_text() == served.json(f"/v1/judgments/{ident}")["verdict"]["headline"]


def test_the_report_and_the_json_can_be_downloaded_and_the_judgment_deleted(
    serve: Callable[..., Served], visit: Visit, seen: Path, tmp_path: Path
) -> None:
    served = serve(seen)
    page = visit(served)
    ident = judge(page, picture(tmp_path))
    with page.expect_download() as report:
        page.get_by_role("link", name="Download the report").click()
    assert "<!doctype html>" in Path(report.value.path()).read_text("utf-8")
    with page.expect_download() as verdict:
        page.get_by_role("link", name="Download JSON").click()
    loaded = json.loads(Path(verdict.value.path()).read_text("utf-8"))
    assert loaded == served.json(f"/v1/judgments/{ident}")["verdict"]
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Keep it").click()
    assert len(served.json("/v1/judgments")["items"]) == 1
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete it").click()
    page.wait_for_selector("text=Nothing here.")
    assert served.json("/v1/judgments")["items"] == []


def test_history_is_filtered_and_paged(serve: Callable[..., Served], visit: Visit, seen: Path, tmp_path: Path) -> None:
    served = serve(seen)
    page = visit(served)
    judge(page, picture(tmp_path, "first.png"))
    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name="first.png").wait_for()
    page.get_by_label("Label").select_option("generated")
    page.get_by_text("Nothing here.").wait_for()
    page.get_by_label("Label").select_option("real")
    page.get_by_role("link", name="first.png").wait_for()
    page.get_by_label("From").fill("2001-01-01")
    page.get_by_label("To", exact=True).fill("2001-01-02")
    page.get_by_label("To", exact=True).blur()
    page.get_by_text("Nothing here.").wait_for()

    def pages(route: Any) -> None:
        [item] = served.json("/v1/judgments")["items"]
        last = "cursor=7" in route.request.url
        named = item | {"image": item["image"] | {"name": "older.png" if last else "newer.png"}}
        route.fulfill(json={"items": [named], "next_cursor": None if last else "7"})

    page.route("**/v1/judgments?*", pages)
    page.get_by_label("From").fill("")
    page.get_by_role("link", name="newer.png").wait_for()
    page.get_by_role("button", name="Show older ones").click()
    page.get_by_role("link", name="older.png").wait_for()
    assert page.locator(".entries .name").all_inner_texts() == ["newer.png", "older.png"]
    assert page.get_by_role("button", name="Show older ones").count() == 0


def test_the_latest_filter_counts_whatever_order_the_answers_arrive_in(
    serve: Callable[..., Served], visit: Visit, seen: Path, tmp_path: Path
) -> None:
    served = serve(seen)
    page = visit(served)
    judge(page, picture(tmp_path, "first.png"))
    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name="first.png").wait_for()
    held: list[Any] = []

    def late(route: Any) -> None:
        if "label=generated" in route.request.url:
            held.append(route)
        else:
            route.continue_()

    page.route("**/v1/judgments?*", late)
    with page.expect_request("**/v1/judgments?*label=generated*"):
        page.get_by_label("Label").select_option("generated")
    with page.expect_response("**/v1/judgments?*label=real*"):
        page.get_by_label("Label").select_option("real")
    with page.expect_response("**/v1/judgments?*label=generated*"):
        held[0].continue_()
    page.wait_for_timeout(200)
    assert page.locator(".entries .name").all_inner_texts() == ["first.png"]


def test_a_blind_case_is_decided_before_the_label_is_shown(
    serve: Callable[..., Served], visit: Visit, tmp_path: Path
) -> None:
    served = serve(script(tmp_path, {"*": answer("real", BLUR, GRAIN)}), "--review-share", "1")
    page = visit(served)
    ident = judge(page, picture(tmp_path))
    headline = served.json(f"/v1/judgments/{ident}")["verdict"]["headline"]
    page.get_by_role("link", name=re.compile("Review")).click()
    page.get_by_role("link", name="Case 1, without its name").click()
    page.wait_for_selector(".picture img")
    blind = page.locator("main").inner_text()
    assert headline not in blind
    assert "boat.png" not in blind
    assert BLUR["reasoning"] not in blind
    assert page.locator(".tag.real, .tag.generated, .side-real, .side-generated").count() == 0
    assert page.evaluate("document.querySelector('.picture img').naturalWidth") > 0
    page.locator("#number-1").click()
    assert BLUR["name"] in page.locator("#evidence-1").inner_text()
    page.get_by_label("It is generated").check()
    page.get_by_label("Why").fill("The sail has no rope.")
    page.get_by_label("Your name").fill("R. Viewer")
    page.get_by_role("button", name="Decide").click()
    page.wait_for_selector(".label .headline")
    assert page.locator(".label .headline").inner_text() == headline
    assert "The sail has no rope." in page.locator(".decision").first.inner_text()
    assert page.evaluate("document.querySelector('.picture img').naturalWidth") > 0
    [decision] = served.json(f"/v1/judgments/{ident}")["decisions"]
    assert (decision["decision"], decision["blind"], decision["reviewer"]) == ("generated", True, "R. Viewer")
    page.wait_for_selector("#waiting", state="hidden")
    page.goto(f"{served.address}/#/judgment/{ident}")
    page.wait_for_selector("#person")
    assert "The sail has no rope." in page.locator("section[aria-labelledby=person]").inner_text()


def test_an_appeal_with_a_better_file_makes_a_new_judgment(
    serve: Callable[..., Served], visit: Visit, seen: Path, tmp_path: Path
) -> None:
    served = serve(seen)
    page = visit(served)
    ident = judge(page, picture(tmp_path))
    page.get_by_role("form", name="Appeal").get_by_label("Why").fill("I took it myself.")
    page.get_by_label("A better file").set_input_files(picture(tmp_path, "original.png"))
    page.get_by_role("button", name="Ask for another look").click()
    page.get_by_text("follows an appeal").wait_for()
    new = page.url.rpartition("/")[2]
    assert new != ident
    assert served.json(f"/v1/judgments/{ident}")["superseded_by"] == new
    page.get_by_role("link", name="see the one before").click()
    page.get_by_role("link", name="see the newer one").wait_for()
    assert page.get_by_role("heading", name="There is a newer judgment").count() == 0
    assert new in served.get(f"/v1/judgments/{ident}/report").decode()
    assert page.get_by_role("form", name="Appeal").count() == 0
    page.get_by_role("link", name=re.compile("Review")).click()
    page.get_by_role("link", name="original.png").click()
    page.get_by_text("I took it myself.").wait_for()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_hostile_answer_runs_nothing_and_breaks_nothing(
    serve: Callable[..., Served], visit: Visit, tmp_path: Path, axe: str, size: tuple[int, int]
) -> None:
    long = NASTY + "x" * 100_000
    bad = sign(NASTY, "generated", (0.1, 0.1, 0.4, 0.4), phenomenon=NASTY * 20, reasoning="W" * 1900, category=NASTY)
    verdicts = {"*": answer("generated", bad, reasoning=long), "few_shot": answer("real", BLUR, reasoning=NASTY)}
    served = serve(script(tmp_path, verdicts), "--review-share", "1")
    page = visit(served, size)
    ident = judge(page, picture(tmp_path, NASTY_NAME))
    looked_at(page)
    toggles = page.get_by_role("button", name=re.compile("^Show all"))
    assert toggles.count() > 0
    while toggles.count():
        toggles.first.click()
    looked_at(page)
    assert serious(page, axe) == []
    for address, found in (
        ("#/history", ".entries a"),
        (f"#/review/{served.json('/v1/reviews')['items'][0]['id']}", ".decide"),
        (f"#/judgment/{ident}", "section.label"),
    ):
        page.goto(f"{served.address}/{address}")
        page.wait_for_selector(found)
        looked_at(page)
    assert served.json(f"/v1/judgments/{ident}")["image"]["name"] == NASTY_NAME
    assert NASTY_NAME in page.locator("main").inner_text()


def looked_at(page: Any) -> None:
    """Nothing of what strangers wrote has become an element, and nothing runs over the edge."""
    for summary in page.locator("main summary").all():
        summary.click()
    assert fits(page)
    assert page.locator("main :is(script, svg, iframe, object, style, [onload], [onerror])").count() == 0
    assert page.locator("main img:not([src^='data:image/'], [src^='blob:'])").count() == 0


def test_with_a_token_one_signs_in_first(
    serve: Callable[..., Served], visit: Visit, seen: Path, tmp_path: Path
) -> None:
    visit.allowed.append("401")  # type: ignore[attr-defined]
    page = visit(serve(seen, token=TOKEN))
    page.get_by_label("The server's token").fill("not the token")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").filter(has_text="token").wait_for()
    page.get_by_label("The server's token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    judge(page, picture(tmp_path))
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("The server's token").wait_for()
    assert page.locator("nav").is_hidden()


def test_what_goes_wrong_is_said(serve: Callable[..., Served], visit: Visit, seen: Path, tmp_path: Path) -> None:
    visit.allowed += ["404", "422", "415", "429"]  # type: ignore[attr-defined]
    served = serve(seen, "--max-bytes", "20000")
    page = visit(served, path="/#/judgment/none")
    page.get_by_role("heading", name="It is not here").wait_for()
    page.get_by_role("link", name="To the start").click()
    big = tmp_path / "big.png"
    big.write_bytes(b"\x89PNG" + bytes(30_000))
    drop(page, big)
    assert "at most" in page.locator("form .problem").inner_text()
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    drop(page, broken)
    page.route(
        "**/v1/judgments",
        lambda route: route.fulfill(
            status=429, headers={"Retry-After": "7"}, json={"error": {"kind": "busy", "message": "Too many wait."}}
        ),
    )
    page.get_by_role("button", name="Judge this picture").click()
    page.get_by_text("Too many wait. Come again in 7 s.").wait_for()
    page.unroute("**/v1/judgments")
    page.get_by_role("button", name="Judge this picture").click()
    page.get_by_role("heading", name="There is no verdict").or_(page.locator("form .problem:not(:empty)")).wait_for()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    serve: Callable[..., Served],
    visit: Visit,
    seen: Path,
    tmp_path: Path,
    axe: str,
    scheme: str,
    size: tuple[int, int],
) -> None:
    served = serve(seen)
    page = visit(served, size, scheme)
    drop(page, picture(tmp_path))
    assert serious(page, axe) == []
    assert fits(page)
    judge(page, picture(tmp_path))
    assert serious(page, axe) == []
    review = served.json("/v1/reviews")["items"][0]["id"]
    for address, found in (("history", ".entries a"), ("review", ".entries a"), (f"review/{review}", ".decide")):
        page.goto(f"{served.address}/#/{address}")
        page.wait_for_selector(found)
        assert serious(page, axe) == []
        assert fits(page)
