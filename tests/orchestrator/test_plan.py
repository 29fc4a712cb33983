from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from backends.backend import Capabilities
from backends.errors import ConfigError
from backends.image_tokens import ImageTokens
from backends.images.source import load_image
from backends.prices import Price, Prices, PriceTable
from backends.providers.function import FunctionBackend
from fusion.strategies import STRATEGIES
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge
from orchestrator.plan import Plan, delivered_size, plan_case
from orchestrator.sample import draw_sample

EACH = [
    ("prepare", "subject", ("image",)),
    ("defect_query", "verdict", ("image",)),
    ("regional", "verdict", ("image", "cut-out", "cut-out")),
    ("commonsense", "verdict", ("image",)),
    ("few_shot", "verdict", ("image",)),
    ("structural", "components", ()),
    ("structural", "verdict", ("image",)),
    ("stereotype", "stereotypes", ()),
    ("stereotype", "verdict", ("image",)),
    ("panel", "verdict", ("image",)),
]


async def plan(ensemble: str = "six", *settings: str, backend: str | None = "a:b") -> Plan:
    return await plan_case(load_ensemble(ensemble, Overrides(backend=backend, settings=settings)))


@pytest.mark.parametrize("layout", ["shared", "paper"])
async def test_six_is_ten_calls_eight_with_the_picture(layout: str) -> None:
    made = await plan("six", f"layout={layout}")
    assert sorted((call.paradigm, call.step, call.shows) for call in made.calls) == sorted(EACH)
    assert (made.with_picture, made.follow_ups, made.problems) == (8, 7, ())
    assert made.backends == ("a:b",)
    assert all(call.characters > 100 for call in made.calls)


async def test_measuring_asks_nobody() -> None:
    assert (await plan("measured", backend=None)).calls == ()


async def test_a_second_backend_is_asked_for_the_subject_too() -> None:
    made = await plan("six", "backend=a:b", "paradigms.structural.backend=c:d", backend=None)
    assert len(made.calls) == 11
    assert [call.step for call in made.to("c:d").calls] == ["subject", "components", "verdict"]


async def test_without_any_backend_it_can_be_rehearsed_all_the_same() -> None:
    assert len((await plan("six", backend=None)).calls) == 10


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_it_is_what_a_case_really_asks(strategy: str) -> None:
    ensemble = load_ensemble("six", Overrides(backend="a:b", fusion=strategy))
    asked: list[tuple[str, str, int]] = []

    async def answer(request: object) -> str:
        asked.append((request.origin.paradigm, request.origin.step, len(request.pictures)))  # type: ignore[attr-defined]
        return {"subject": "subject: boat\nmedium: photograph", "text": "a hull"}.get(
            request.origin.purpose,  # type: ignore[attr-defined]
            "It may be either.\nVerdict: real",
        )

    async with Judge(ensemble, backends={"a:b": FunctionBackend(answer, "a:b")}) as judge:
        await judge.judge(draw_sample())
    planned = await plan_case(ensemble)
    assert sorted(asked) == sorted((call.paradigm, call.step, len(call.shows)) for call in planned.calls)


async def test_every_stage_is_planned_and_no_limit_ends_a_rehearsal() -> None:
    stages = "stages=[[defect_query, regional, commonsense, few_shot, structural], [stereotype]]"
    settings = ("budget.calls=1", "budget.case_calls=1", "limits.rpm=1", "deadlines={case: 0.001, fusion: 0}")
    assert len((await plan("six", stages, *settings)).calls) == 10


async def test_exemplar_pictures_are_told_from_the_picture(tmp_path: Path) -> None:
    for label in ("generated", "real"):
        (tmp_path / label).mkdir()
        draw_sample().rotate(90 if label == "real" else 180).save(tmp_path / label / "one.png")
    made = await plan("six", f"exemplars={tmp_path}")
    (few_shot,) = (call for call in made.calls if call.paradigm == "few_shot")
    assert sorted(few_shot.shows) == ["exemplar", "exemplar", "image"]


async def test_a_prompt_that_cannot_be_rendered_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        'name: mine\nversion: "1"\ntitle: Mine\nquestion: Odd?\nsteps: '
        '[{name: verdict, ask: verdict, shared: {question: "{{ nothing }}"}}]\n'
    )
    (tmp_path / "ensemble.yaml").write_text("paradigms: [mine.yaml, commonsense]\n")
    made = await plan(str(tmp_path / "ensemble.yaml"))
    assert made.problems == ("mine: a prompt cannot be rendered: 'nothing' is undefined.",)
    (tmp_path / "ensemble.yaml").write_text("paradigms: [mine.yaml]\n")
    assert len((await plan(str(tmp_path / "ensemble.yaml"))).problems) == 1


async def test_what_is_wrong_with_an_ensemble_is_raised() -> None:
    with pytest.raises(ConfigError, match=r"no measurement|There is no paradigm"):
        await plan("six", "paradigms.nonsense={}")


async def test_the_cost_is_unknown_or_an_upper_bound() -> None:
    made = await plan()
    assert made.cost(Prices(), (640, 480), {}) is None
    price = Price(input=1.0, output=10.0, date=datetime.date(2026, 1, 31), source="a test")
    prices = Prices(PriceTable(models={"a:*": price}))
    small, large = made.cost(prices, (640, 480), {}), made.cost(prices, (2048, 2048), {})
    assert small is not None
    assert large is not None
    assert 0.13 < small < large
    assert Plan().cost(prices, (1, 1), {}) == 0.0


async def test_the_dearest_of_those_who_may_answer_counts() -> None:
    day = datetime.date(2026, 1, 31)
    models = {
        "a:b": Price(input=0, output=0, date=day, source="a test"),
        "c:d": Price(input=1.0, output=10.0, date=day, source="a test"),
    }
    made = await plan("six", "fallback=[c:d]")
    assert made.backends == ("a:b", "c:d")
    alone = (await plan("six", backend="c:d")).cost(Prices(PriceTable(models=models)), (640, 480), {})
    assert alone
    assert made.cost(Prices(PriceTable(models=models)), (640, 480), {}) == alone
    assert made.cost(Prices(PriceTable(models={"a:b": models["a:b"]})), (640, 480), {}) is None


async def test_thinking_and_the_providers_way_of_counting_pictures_are_in_the_cost() -> None:
    made = await plan()
    price = Price(input=1.0, output=10.0, date=datetime.date(2026, 1, 31), source="a test")
    prices = Prices(PriceTable(models={"a:*": price}))
    plain = made.cost(prices, (640, 480), {}) or 0
    thinking = made.cost(prices, (640, 480), {"a:b": Capabilities(thinking_tokens=1000)}) or 0
    assert thinking - plain == pytest.approx(10 * 1000 * 10.0 / 1e6)
    rule = ImageTokens(square=2000, base=10_000)
    assert (made.cost(prices, (640, 480), {"a:b": Capabilities(image_tokens=rule)}) or 0) > plain + 8 * 8000 / 1e6


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1, 1), (3000, 7), (1023, 1025), (1024, 1024)])
@pytest.mark.parametrize("edge", [64, 500, 1024])
def test_the_delivered_size_is_that_of_delivery(size: tuple[int, int], edge: int) -> None:
    delivered = load_image(draw_sample().resize(size)).deliver(edge)
    assert delivered_size(*size, edge) == (delivered.width, delivered.height)


async def test_variants_are_planned_for_and_not_rehearsed() -> None:
    made = await plan("six", "stability=3")
    assert (len(made.calls), made.variants) == (10, 3)
    assert (await plan("measured", "stability=3", backend=None)).variants == 0
    price = Price(input=1.0, output=10.0, date=datetime.date(2026, 1, 31), source="a test")
    prices = Prices(PriceTable(models={"a:*": price}))
    assert made.cost(prices, (640, 480), {}) == pytest.approx(4 * ((await plan()).cost(prices, (640, 480), {}) or 0))
