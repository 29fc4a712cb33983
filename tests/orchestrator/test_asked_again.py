"""What a second run asks, after a crash, a spent budget or an edited prompt."""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy
import PIL.Image
import pytest

from backends.completion import Completion, Stop
from backends.providers.function import FunctionBackend
from backends.request import Request
from fusion.verdict import UndecidedBecause, Verdict
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge
from paradigms.label import Label

from .conftest import SPEC, Toy, answer


def pictures(count: int) -> Iterator[bytes]:
    """Drawn pictures, each another one."""
    for seed in range(count):
        coarse = numpy.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=numpy.uint8)
        file = io.BytesIO()
        PIL.Image.fromarray(coarse).resize((96, 72), PIL.Image.Resampling.BICUBIC).save(file, "PNG")
        yield file.getvalue()


async def run(toy: Any, cache: Path, count: int = 3, *settings: str) -> list[Verdict]:
    """Judge some pictures with the cache in a file."""
    ensemble = load_ensemble("six", Overrides(backend=SPEC, settings=("strict=true", *settings)))
    async with Judge(ensemble, backends={SPEC: FunctionBackend(toy, SPEC)}, cache_path=cache) as judge:
        judged = [result async for result in judge.judge_many(pictures(count), ordered=True)]
    verdicts = [result.verdict for result in judged if result.verdict is not None]
    assert len(verdicts) == count
    return verdicts


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "answers.sqlite"


async def test_the_same_run_again_asks_nobody(cache: Path) -> None:
    first, again = Toy(), Toy()
    before = await run(first, cache)
    after = await run(again, cache)
    # Lists for one subject serve every picture of it: two text questions in all, and eight for each picture.
    assert len(first.requests) == 3 * 8 + 2
    assert again.requests == []
    assert [verdict.usage.calls for verdict in after] == [0, 0, 0]
    assert sum(verdict.usage.cache_hits for verdict in after) == 30
    volatile = {"id", "created_at", "usage"}
    assert [verdict.model_dump(exclude=volatile) for verdict in before] == [
        verdict.model_dump(exclude=volatile) for verdict in after
    ]


async def test_a_prompt_changed_by_a_word_asks_only_what_depends_on_it(cache: Path, tmp_path: Path) -> None:
    await run(Toy(), cache)
    text = (files("prompts") / "paradigms" / "structural.yaml").read_text("utf-8")
    changed = tmp_path / "structural.yaml"
    changed.write_text(text.replace("doubled or merged", "doubled or fused"), "utf-8")
    assert changed.read_text("utf-8") != text
    toy = Toy()
    await run(toy, cache, 3, f"paradigms.structural.file={changed}")
    assert set(toy.asked) == {"structural.verdict"}
    toy = Toy({"structural.verdict": answer("generated")})
    changed.write_text(text.replace("doubled or merged", "doubled or joined"), "utf-8")
    await run(toy, cache, 3, f"paradigms.structural.file={changed}")
    # Now the answer differs, and the panel reads it.
    assert set(toy.asked) == {"structural.verdict", "panel.verdict"}


async def test_a_changed_list_is_asked_for_with_all_that_reads_it(cache: Path, tmp_path: Path) -> None:
    await run(Toy(), cache)
    text = (files("prompts") / "paradigms" / "structural.yaml").read_text("utf-8")
    changed = tmp_path / "structural.yaml"
    changed.write_text(text.replace("eight at most, one line each", "nine at most, one line each"), "utf-8")
    toy = Toy({"structural.components": "a bell"})
    await run(toy, cache, 3, f"paradigms.structural.file={changed}")
    assert toy.asked == {"structural.components": 1, "structural.verdict": 3}


@pytest.mark.parametrize("bad", ["refusal", "empty", "cut", "unread"])
async def test_accidents_are_asked_for_again(cache: Path, bad: str) -> None:
    async def accident(request: Request) -> Completion:
        text, stop = {
            "refusal": ("", Stop.REFUSAL),
            "empty": ("", Stop.EMPTY),
            "cut": ('{"reasoning": "It', Stop.LENGTH),
            "unread": ("qwertz", Stop.COMPLETE),
        }[bad]
        return Completion(text=text, stop=stop, model="toy", backend=SPEC)

    await run(Toy({"commonsense": accident}), cache, 1, "retry.attempts=1")
    toy = Toy()
    (verdict,) = await run(toy, cache, 1)
    assert "commonsense.verdict" in toy.asked
    assert verdict.coverage.answered == 6
    again = Toy()
    await run(again, cache, 1)
    assert again.requests == []


async def test_a_budget_stops_exactly_and_the_next_run_goes_on(cache: Path) -> None:
    toy = Toy()
    verdicts = await run(toy, cache, 10, "budget.calls=50")
    assert len(toy.requests) == 50
    assert any(verdict.undecided_because is UndecidedBecause.BUDGET for verdict in verdicts)
    rest = Toy()
    verdicts = await run(rest, cache, 10, "budget.calls=50")
    assert len(rest.requests) == 10 * 8 + 2 - 50
    assert {verdict.label for verdict in verdicts} == {Label.REAL}
