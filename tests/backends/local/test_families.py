from __future__ import annotations

from types import SimpleNamespace

import pytest

from backends.backend import BoxFormat
from backends.local.families import local_facts, seen_pixels
from backends.models import ModelFacts


@pytest.mark.parametrize(
    ("name", "model_type", "boxes"),
    [
        ("Qwen/Qwen2.5-VL-3B-Instruct", "qwen2_5_vl", BoxFormat.PIXELS),
        ("my-tuned-model", "qwen2_5_vl", BoxFormat.PIXELS),
        ("my-tuned-model", "qwen3_vl", BoxFormat.THOUSAND),
        ("my-tuned-model", "internvl", BoxFormat.THOUSAND),
        ("my-tuned-model", "llava", None),
        ("my-tuned-model", "no_such_family", None),
    ],
)
def test_boxes_are_those_of_the_architecture(name: str, model_type: str, boxes: BoxFormat | None) -> None:
    assert local_facts(name, model_type).box_format == boxes


def test_the_processor_says_how_pictures_are_seen() -> None:
    images = SimpleNamespace(patch_size=14, merge_size=2, size={"shortest_edge": 3136, "longest_edge": 15680})
    pixels = ModelFacts(box_format=BoxFormat.PIXELS)
    seen = {"image_multiple": 28, "image_max_pixels": 15680}
    assert seen_pixels(SimpleNamespace(image_processor=images), pixels) == seen
    assert seen_pixels(SimpleNamespace(image_processor=images), ModelFacts(box_format=BoxFormat.THOUSAND)) == {}
    assert seen_pixels(SimpleNamespace(image_processor=SimpleNamespace(size={"height": 56})), pixels) == {}
