"""However a batch is computed, each answer is that of its request by itself; another picture changes it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from backends.local.engine import Written
from backends.request import Request, Sampling
from tests.backends.local.questions import FAST, SLOW, Open, ask, drawn

FAMILIES = [*FAST, *(pytest.param(family, marks=pytest.mark.torch) for family in SLOW)]
ONE, OTHER, THIRD = drawn(1), drawn(2, (64, 96)), drawn(5)
"""The first and the third have the same size, and so the same tokens."""
REQUESTS = (
    ask(ONE, "Is there a disc?", sampling=Sampling(max_tokens=12), logprobs=True),
    ask(ONE, "Count the discs and say it in JSON, please.", sampling=Sampling(max_tokens=5), logprobs=True),
    ask(ONE, "Compare it", OTHER, "with this one.", logprobs=True),
    ask("List the parts of a bicycle.", logprobs=True),
    ask(OTHER, ONE, "Which is the older one?", logprobs=True),
    ask(THIRD, "Is there a disc?", sampling=Sampling(max_tokens=12), logprobs=True),
    ask(ONE, "Is there a disc?", system=None, prefill="There is ", logprobs=True),
)


def alone(engine: Any, requests: Sequence[Request] = REQUESTS) -> list[Written]:
    return [engine.write([request])[0] for request in requests]


def assert_same(answers: Sequence[Written], expected: Sequence[Written]) -> None:
    """The same text, and at each place the same tokens with the same probability."""
    assert [answer.text for answer in answers] == [answer.text for answer in expected]
    for answer, wanted in zip(answers, expected, strict=True):
        assert answer.stop == wanted.stop
        assert answer.usage.input_tokens == wanted.usage.input_tokens
        assert answer.usage.image_tokens == wanted.usage.image_tokens
        for place, same in zip(answer.logprobs or (), wanted.logprobs or (), strict=True):
            assert [chance.logprob for chance in place.likeliest] == pytest.approx(
                [chance.logprob for chance in same.likeliest], abs=1e-4
            )


@pytest.mark.parametrize("family", FAMILIES)
def test_every_way_of_computing_gives_the_same_answers(family: str, engine: Open) -> None:
    plain = engine(family, vision_once=False)
    expected = alone(plain)
    assert plain.shortcuts.vision_once is not None
    assert plain.vision_runs == 0
    assert_same(plain.write(REQUESTS), expected)

    vision = engine(family, prefix_once=False)
    assert_same(vision.write(REQUESTS), expected)
    assert_same(alone(vision), expected)
    assert all(answer.usage.cached_tokens == 0 for answer in vision.write(REQUESTS))

    both = engine(family)
    assert both.shortcuts.vision_once is None
    assert both.shortcuts.prefix_once is None
    assert_same(both.write(REQUESTS), expected)
    assert_same(both.write(REQUESTS), expected)
    assert_same(alone(both), expected)
    assert_same(both.write(REQUESTS[::-1]), expected[::-1])

    # LLaVA-OneVision sees a picture in tiles when it is alone, and as a whole when it is not.
    runs = 4 if family == "llava_onevision" else 3
    assert (vision.vision_runs, both.vision_runs) == (runs, runs)


@pytest.mark.parametrize("family", FAMILIES)
def test_another_picture_changes_the_probabilities(family: str, engine: Open) -> None:
    both = engine(family)
    one, same, other = both.write([ask(shown, "What is it?", logprobs=True) for shown in (ONE, ONE, THIRD)])
    assert one == same or one.usage.cached_tokens != same.usage.cached_tokens
    first = [chance.logprob for chance in one.logprobs[0].likeliest]
    assert first == pytest.approx([chance.logprob for chance in same.logprobs[0].likeliest], abs=1e-4)
    second = [chance.logprob for chance in other.logprobs[0].likeliest]
    assert max(abs(left - right) for left, right in zip(first, second, strict=True)) > 0.01


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "gemma3"])
def test_what_was_read_for_one_batch_serves_the_next(family: str, engine: Open) -> None:
    both = engine(family)
    [subject] = both.write([ask(ONE, "What is the main subject?")])
    assert subject.usage.cached_tokens == 0
    answers = both.write(REQUESTS[:2])
    for answer in answers:
        assert answer.usage.cached_tokens > answer.usage.image_tokens > 0
    # The third picture has the same tokens as the first, and must not be taken for it.
    [other] = both.write([REQUESTS[5]])
    assert other.usage.cached_tokens < other.usage.input_tokens - other.usage.image_tokens


@pytest.fixture
def wide(checkpoint: Callable[[str], Path], tmp_path: Path) -> Path:
    """Gemma 3 with a window wider than the prompts of these tests."""
    folder = shutil.copytree(checkpoint("gemma3"), tmp_path / "wide")
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["sliding_window"] = 1024
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_a_window_that_the_batch_fits_into_allows_a_shared_beginning(wide: Path, engine: Open) -> None:
    expected = alone(engine(wide, vision_once=False))
    both = engine(wide)
    assert_same(both.write(REQUESTS), expected)
    again = both.write(REQUESTS)
    assert_same(again, expected)
    assert all(answer.usage.cached_tokens > 0 for answer in again)


def test_a_window_that_the_batch_does_not_fit_into_forbids_it(engine: Open) -> None:
    narrow = engine("gemma3")
    narrow.write(REQUESTS)
    assert all(answer.usage.cached_tokens == 0 for answer in narrow.write(REQUESTS))


def test_few_kept_encodings_change_nothing(engine: Open) -> None:
    expected = alone(engine("llava", vision_once=False))
    forgetful = engine("llava", encodings=1)
    assert_same(forgetful.write(REQUESTS), expected)
    assert_same(alone(forgetful), expected)
    assert forgetful.vision_runs > 3
