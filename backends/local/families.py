"""What architectures are called in the records of models (`prompts/models.yaml`)."""

from __future__ import annotations

from typing import Any

from backends.backend import BOX_FIELDS, BoxFormat
from backends.models import ModelFacts, known_facts

FAMILIES = {
    "qwen2_vl": "qwen2-vl",
    "qwen2_5_vl": "qwen2.5-vl",
    "qwen3_vl": "qwen3-vl",
    "qwen3_vl_moe": "qwen3-vl",
    "llava": "llava",
    "llava_onevision": "llava-onevision",
    "internvl": "internvl",
    "smolvlm": "smolvlm",
    "idefics3": "idefics3",
    "gemma3": "gemma-3",
}
"""The `model_type` of a checkpoint's configuration, and the name under which the family is known."""

TESTED = frozenset({"qwen2_5_vl", "qwen3_vl", "llava", "llava_onevision", "internvl", "smolvlm", "idefics3", "gemma3"})
"""The architectures for which the shorter ways of computing are shown to give the same answers by the tests.

Others are computed plainly: how their towers and positions work is up to them, and a mistake would not show.
"""


def local_facts(name: str, model_type: str) -> ModelFacts:
    """What is known about a model run in this process, by its name and its architecture.

    What its boxes mean is up to the architecture, where that is known: a folder may be called anything, and after the
    model that another one was distilled from.
    """
    named, built = known_facts("hf", name), known_facts("hf", FAMILIES.get(model_type, model_type))
    facts = named.over(built)
    if model_type not in FAMILIES and built.box_format is None:
        return facts
    return facts.model_copy(update={field: getattr(built, field) for field in BOX_FIELDS})


def thinking_room(facts: ModelFacts) -> int:
    """The room, in tokens, of a model that is made to think: as its name says, or else as for others that think."""
    said = facts.thinking_tokens
    return (known_facts("hf", "thinking").thinking_tokens or 0) if said is None else said


def seen_pixels(processor: Any, facts: ModelFacts) -> dict[str, int]:
    """What the processor of a checkpoint says about the sizes of pictures, as capabilities.

    Where boxes are in pixels of the picture as the model sees it, this decides what they mean. A server may be set up
    otherwise than the records know; here the settings are at hand.
    """
    if facts.box_format is not BoxFormat.PIXELS:
        return {}
    images = processor.image_processor
    patch, merge = getattr(images, "patch_size", None), getattr(images, "merge_size", None)
    size = getattr(images, "size", {})
    least, most = size.get("shortest_edge"), size.get("longest_edge")
    if not (isinstance(patch, int) and isinstance(merge, int) and isinstance(least, int) and isinstance(most, int)):
        return {}
    return {"image_multiple": patch * merge, "image_min_pixels": least, "image_max_pixels": most}
