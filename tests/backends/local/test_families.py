from __future__ import annotations

from types import SimpleNamespace

import pytest

from backends.backend import BoxFormat, Capabilities
from backends.local.families import local_facts, seen_pixels, thinking_room
from backends.models import ModelFacts, seen_size


@pytest.mark.parametrize(
    ("name", "model_type", "boxes"),
    [
        ("Qwen/Qwen2.5-VL-3B-Instruct", "qwen2_5_vl", BoxFormat.PIXELS),
        ("my-tuned-model", "qwen2_5_vl", BoxFormat.PIXELS),
        ("my-tuned-model", "qwen3_vl", BoxFormat.THOUSAND),
        ("my-tuned-model", "internvl", BoxFormat.THOUSAND),
        ("my-tuned-model", "llava", None),
        ("my-tuned-model", "no_such_family", None),
        ("distilled-from-qwen2.5-vl", "internvl", BoxFormat.THOUSAND),
        ("distilled-from-qwen2.5-vl", "llava", None),
        ("distilled-from-qwen2.5-vl", "qwen3_5", BoxFormat.THOUSAND),
        ("distilled-from-qwen2.5-vl", "no_such_family", BoxFormat.PIXELS),
    ],
)
def test_boxes_are_those_of_the_architecture(name: str, model_type: str, boxes: BoxFormat | None) -> None:
    assert local_facts(name, model_type).box_format == boxes


def test_a_scale_that_is_not_the_architectures_takes_its_sizes_with_it() -> None:
    facts = local_facts("distilled-from-qwen2.5-vl", "llava")
    assert (facts.image_multiple, facts.image_min_pixels, facts.image_max_pixels) == (None, None, None)


def test_a_name_says_what_the_architecture_does_not() -> None:
    assert local_facts("Qwen3-VL-4B-Thinking", "qwen3_vl").thinking_tokens


def test_a_model_that_is_made_to_think_has_room_for_it_whatever_it_is_called() -> None:
    usual = thinking_room(local_facts("Qwen3-VL-4B-Thinking", "qwen3_vl"))
    assert usual > 0
    assert thinking_room(local_facts("my-tuned-model", "qwen3_vl")) == usual
    assert thinking_room(ModelFacts(thinking_tokens=0)) == 0


def test_the_processor_says_how_pictures_are_seen() -> None:
    images = SimpleNamespace(patch_size=14, merge_size=2, size={"shortest_edge": 3136, "longest_edge": 15680})
    pixels = ModelFacts(box_format=BoxFormat.PIXELS)
    seen = {"image_multiple": 28, "image_min_pixels": 3136, "image_max_pixels": 15680}
    assert seen_pixels(SimpleNamespace(image_processor=images), pixels) == seen
    assert seen_pixels(SimpleNamespace(image_processor=images), ModelFacts(box_format=BoxFormat.THOUSAND)) == {}
    assert seen_pixels(SimpleNamespace(image_processor=SimpleNamespace(size={"height": 56})), pixels) == {}


@pytest.mark.parametrize(
    ("multiple", "least", "most"), [(28, 3136, 1003520), (28, 200704, 401408), (32, 65536, 262144)]
)
def test_the_size_that_is_reckoned_is_the_processors(multiple: int, least: int, most: int) -> None:
    """Of larger pictures than `most` nothing is said."""
    pytest.importorskip("transformers")
    from backends.local.operators import import_torchvision

    import_torchvision()
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

    rules = Capabilities(image_multiple=multiple, image_min_pixels=least, image_max_pixels=most)
    sizes = [(width, height) for width in range(7, 900, 61) for height in range(7, 900, 53)]
    compared = 0
    for width, height in sizes:
        seen = seen_size(rules, width, height)
        if seen is not None:
            assert seen[::-1] == smart_resize(height, width, multiple, least, most)
            compared += 1
    assert compared > 50
