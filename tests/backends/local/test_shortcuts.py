from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("transformers")

from backends.local.operators import import_torchvision

import_torchvision()

import transformers as tr  # noqa: E402

from backends.local.settings import LocalSettings  # noqa: E402
from backends.local.shortcuts import possible  # noqa: E402


def config(model_type: str, text: Any) -> Any:
    """The configuration of a model with this language model inside."""
    return SimpleNamespace(model_type=model_type, get_text_config=lambda decoder: text)


QWEN = config("qwen3_vl", tr.Qwen3Config())
WINDOWED = config("gemma3", tr.Gemma3TextConfig(sliding_window=1024))
STATES = config("qwen3_vl", tr.MambaConfig(num_hidden_layers=1))


def test_the_shorter_ways_are_taken_where_they_are_tested() -> None:
    ways = possible(QWEN, LocalSettings())
    assert (ways.vision_once, ways.prefix_once, ways.room) == (None, None, None)
    assert ways.capabilities == {"prefix_cache": True, "prefix_cache_note": None}


@pytest.mark.parametrize(
    ("shape", "settings", "reason"),
    [
        (QWEN, {"prefix_once": False}, "switched off in the settings"),
        (QWEN, {"vision_once": False}, "switched off in the settings"),
        (config("other", tr.Qwen3Config()), {}, "its family has not been tested with encoded pictures"),
        (STATES, {}, "its layers keep something else than keys and values"),
    ],
)
def test_why_beginnings_are_not_shared_is_known(shape: Any, settings: dict[str, bool], reason: str) -> None:
    ways = possible(shape, LocalSettings(**settings))
    able = ways.capabilities
    assert (ways.prefix_once, able["prefix_cache"]) == (reason, False)
    assert able["prefix_cache_note"] == f"this model computes the beginning of each prompt anew: {reason}"


def test_a_window_shares_only_what_is_short() -> None:
    able = possible(WINDOWED, LocalSettings()).capabilities
    assert able["prefix_cache"] is None
    assert able["prefix_cache_note"].endswith("only while prompt and answer fit into its window of 1024 tokens")
