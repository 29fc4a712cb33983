from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from backends.backend import Capabilities
from backends.prices import Price, Prices, PriceTable
from orchestrator.config import Overrides, load_ensemble
from orchestrator.plan import plan_case
from sixlens.cli.plan_text import Destination, Outlook, Sizes, cost_words, notices, plan_lines

PRICE = Price(input=1.0, output=10.0, date=datetime.date(2026, 1, 31), source="a test")


async def outlook(*settings: str, hosted: bool = True, pictures: int = 1, prices: Prices | None = None) -> Outlook:
    ensemble = load_ensemble("six", Overrides(settings=("backend=a:b", *settings)))
    plan = await plan_case(ensemble)
    destinations = [
        Destination(spec, Capabilities(destination=f"{spec[0]}.example", hosted=hosted)) for spec in plan.backends
    ]
    sizes = [Sizes(f"{number}.jpg", 4000, 3000) for number in range(pictures)]
    return Outlook(ensemble, plan, tuple(destinations), prices or Prices(), tuple(sizes))


async def test_a_plan_lists_every_call_in_the_order_of_the_ensemble() -> None:
    lines = list(plan_lines(await outlook()))
    calls = [line.split()[:2] for line in lines if line.startswith("  ") and "a:b" in line]
    assert [call[0] for call in calls] == [
        "prepare",
        "defect_query",
        "regional",
        "commonsense",
        "few_shot",
        "structural",
        "structural",
        "stereotype",
        "stereotype",
        "panel",
    ]
    assert "  regional       verdict      the picture, 2 cut-outs    a:b" in lines
    assert "  structural     components   text alone                 a:b" in lines
    assert "  0.jpg: 4000 × 3000, delivered as JPEG of 1024 × 768 without metadata" in lines
    assert "a:b: 10 (8 with the picture, 2 of text alone) a picture; leaves this machine for a.example" in lines


async def test_a_plan_names_budget_and_problems() -> None:
    lines = list(plan_lines(await outlook("budget.calls=7", "budget.cost=0.5")))
    assert "Budget: calls 7, cost 0.5; it is never exceeded." in lines


async def test_each_place_is_announced_with_its_own_calls() -> None:
    said = list(notices(await outlook("paradigms.structural.backend=c:d")))
    assert len(said) == 3
    assert "to a.example (a:b). Calls: 8 (7 with the picture, 1 of text alone)" in said[0]
    assert "to c.example (c:d). Calls: 3 (2 with the picture, 1 of text alone)" in said[1]
    assert said[0].startswith("0.jpg goes as JPEG of 1024 × 768 pixels, without metadata,")


async def test_who_stands_in_is_announced_too() -> None:
    made = await outlook("fallback=[c:d]")
    lines = list(plan_lines(made))
    assert "c:d: asked when another backend does not answer; leaves this machine for c.example" in lines
    said = list(notices(made))
    assert said[1].endswith("to c.example (c:d). It is asked when another backend does not answer.")


async def test_of_a_server_here_it_is_only_said_where_the_picture_goes() -> None:
    lines = list(plan_lines(await outlook(hosted=False)))
    assert "a:b: 10 (8 with the picture, 2 of text alone) a picture; goes to a.example" in lines


async def test_nothing_is_announced_when_nothing_leaves() -> None:
    assert list(notices(await outlook(hosted=False))) == []


async def test_the_cost_grows_with_the_pictures_and_is_unknown_without_a_price() -> None:
    prices = Prices(PriceTable(models={"a:*": PRICE}))
    one, three = await outlook(prices=prices), await outlook(prices=prices, pictures=3)
    assert one.cost is not None
    assert three.cost == pytest.approx(3 * one.cost)
    assert (await outlook("paradigms.structural.backend=c:d", prices=prices)).cost is None
    assert cost_words(None).startswith("unknown")
    assert cost_words(0.12345) == "at most $0.1235"
    assert (await outlook()).cost is None


async def test_the_calls_for_variants_are_announced_and_planned() -> None:
    made = await outlook("stability=3", pictures=2)
    (said, _) = notices(made)
    assert "Calls for each picture: 10 (8 with the picture, 2 of text alone); up to 30 more for 3 mild variants" in said
    assert "; up to 28 more where an answer cannot be read at once." in said
    calls = "calls in all: 20; up to 60 more for 3 mild variants of each; up to 56 more where an answer cannot be read"
    assert f"Pictures: 2; {calls} at once" in list(plan_lines(made))


async def test_where_scores_come_from_is_said_and_what_leaves_is_announced(tmp_path: Path) -> None:
    table = tmp_path / "scores.csv"
    table.write_text("case,score\n", "utf-8")
    scored = await outlook(
        f"paradigms.here={{kind: score, file: {table}}}",
        "paradigms.near={kind: score, url: 'http://127.0.0.1:9/s'}",
        "paradigms.far={kind: score, url: 'https://far.example/s', hosted: true}",
        hosted=False,
    )
    lines = list(plan_lines(scored))
    assert f"here: scores out of {table}" in lines
    file = "the original file with all its metadata, once a picture"
    assert f"near: {file}; stays on this machine: http://127.0.0.1:9/s" in lines
    assert f"far: {file}; leaves this machine for https://far.example/s" in lines
    said = list(notices(scored))
    assert said == ["Each picture goes as the original file, with all its metadata, to https://far.example/s (far)."]
