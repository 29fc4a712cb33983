"""Models in this process under whole ensembles: shared by those who may share them, and never mixed up."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy
import PIL.Image
import pytest

from backends import registry
from backends.local.engine import Prospect, Written
from backends.local.settings import LocalSettings
from backends.providers import hf
from backends.request import Request
from backends.shared import Shared
from orchestrator.config import Overrides, load_ensemble
from orchestrator.ensemble import Ensemble
from orchestrator.judge import Judge
from paradigms.library import SIX
from tests.backends.local.stand_in import StandIn, prospect

from .conftest import SUBJECT, answer

CASES = 3


class Witness(StandIn):
    """Answers each question in its form; the reasoning names the engine and the sampling of the batch."""

    def _written(self, request: Request, with_what: str) -> Written:
        plain = {"subject": SUBJECT, "components": "a frame; two wheels", "stereotypes": "glossy paint"}
        text = plain.get(request.origin.step) or answer("real", reasoning=f"Computed by {self.name} with {with_what}.")
        return dataclasses.replace(super()._written(request, with_what), text=text)


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> list[Witness]:
    """The engines that were loaded, in place of models of transformers."""
    loaded: list[Witness] = []

    def survey(source: str, settings: LocalSettings) -> Prospect:
        def load() -> Witness:
            loaded.append(Witness(f"{source}-{settings.dtype}", seconds=0.01))
            return loaded[-1]

        return prospect(load, source)

    monkeypatch.setattr(registry, "find_spec", lambda name: object())
    monkeypatch.setattr(hf, "survey", survey)
    monkeypatch.setattr(hf, "no_chatter", lambda: None)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    return loaded


def ensemble(spec: str, *settings: str) -> Ensemble:
    return load_ensemble("six", Overrides(spec, None, settings))


def pictures(count: int) -> list[PIL.Image.Image]:
    rng = numpy.random.default_rng(1)
    noise = rng.integers(0, 255, (count, 64, 64, 3), dtype=numpy.uint8)
    return [PIL.Image.fromarray(pixels) for pixels in noise]


async def test_the_six_questions_of_a_case_are_one_batch(engines: list[Witness], picture: bytes) -> None:
    async with Judge(ensemble("hf:one")) as judge:
        verdict = await judge.judge(picture)
    (engine,) = engines
    assert verdict.votes.real == 6
    # subject; six at once, two of them with a list; the verdicts on these lists; the panel
    assert engine.sizes == [1, 6, 2, 1]
    assert engine.closed == 1


async def test_two_judges_share_a_model_until_the_last_is_closed(engines: list[Witness], picture: bytes) -> None:
    shared = Shared()
    async with Judge(ensemble("hf:one"), shared=shared) as first:
        async with Judge(ensemble("hf:one", "fusion.strategy=tally"), shared=shared) as second:
            await asyncio.gather(first.judge(picture), second.judge(picture))
        assert [engine.closed for engine in engines] == [0]
        await first.judge(picture)
    assert [engine.closed for engine in engines] == [1]


async def test_without_something_shared_each_judge_has_its_own(engines: list[Witness], picture: bytes) -> None:
    async with Judge(ensemble("hf:one")) as first, Judge(ensemble("hf:one")) as second:
        await asyncio.gather(first.judge(picture), second.judge(picture))
    assert len(engines) == 2


async def test_two_models_and_two_temperatures_at_once_are_never_mixed(engines: list[Witness]) -> None:
    """Four Judges at once; every reasoning says which engine computed it, and with which sampling."""
    shared = Shared()
    wanted = {
        (spec, temperature): Judge(ensemble(f"hf:{spec}", f"sampling.temperature={temperature}"), shared=shared)
        for spec in ("one", "two")
        for temperature in (0.0, 0.9)
    }

    async def run(judge: Judge) -> list[Any]:
        async with judge:
            return await asyncio.gather(*(judge.judge(picture) for picture in pictures(CASES)))

    found = await asyncio.gather(*(run(judge) for judge in wanted.values()))
    for (spec, temperature), verdicts in zip(wanted, found, strict=True):
        for verdict in verdicts:
            assert {report.text for report in verdict.reports} == {
                f"Computed by {spec}-auto with t={temperature} p=None s=None."
            }
    assert len(engines) == 2
    assert all(max(engine.sizes) > 1 for engine in engines)


async def test_what_the_cache_answers_loads_no_model(engines: list[Witness], picture: bytes, tmp_path: Path) -> None:
    settled = ensemble("hf:one")
    async with Judge(settled, cache_path=tmp_path / "answers.sqlite") as judge:
        await judge.prepare()
        assert engines == []
        asked = await judge.judge(picture)
    assert len(engines) == 1
    async with Judge(settled, cache_path=tmp_path / "answers.sqlite") as judge:
        await judge.prepare()
        again = await judge.judge(picture)
    assert len(engines) == 1
    assert again.usage.calls == 0
    assert [report.text for report in again.reports] == [report.text for report in asked.reports]


async def test_an_ensemble_of_two_models_follows_from_what_each_of_them_said(
    engines: list[Witness], picture: bytes, tmp_path: Path
) -> None:
    tally, other = "fusion.strategy=tally", "paradigms.stereotype.backend=hf:two"
    arms = (ensemble("hf:one", tally), ensemble("hf:two", tally), ensemble("hf:one", tally, other))
    for loads, arm in zip((1, 2, 2), arms, strict=True):
        async with Judge(arm, cache_path=tmp_path / "answers.sqlite") as judge:
            verdict = await judge.judge(picture)
        assert len(engines) == loads
    assert {report.backend for report in verdict.reports} == {"hf:one", "hf:two"}


@pytest.mark.parametrize("later", ["few_shot", "stereotype"])
async def test_a_model_of_a_later_stage_is_loaded_when_the_stage_is_reached(
    engines: list[Witness], picture: bytes, later: str
) -> None:
    """All say the same in the first stage, so that the second one and its model are not needed."""
    stages = [[name for name in SIX if name != later], [later]]
    more = (f"stages={json.dumps(stages)}", "stop_when=[agreement]", f"paradigms.{later}.backend=hf:two")
    async with Judge(ensemble("hf:one", *more, "fusion.strategy=tally")) as judge:
        await judge.prepare()
        await judge.judge(picture)
    assert [engine.name for engine in engines] == ["one-auto"]
    async with Judge(ensemble("hf:one", *more, "stop_when=[]", "fusion.strategy=tally")) as judge:
        await judge.judge(picture)
    assert [engine.name for engine in engines] == ["one-auto", "one-auto", "two-auto"]
