"""The tiny checkpoints are worth testing with: they load, take the project's longest prompts, and look at pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytestmark = pytest.mark.torch

FAMILIES = ("qwen2_5_vl", "qwen3_vl", "llava_onevision", "llava", "internvl", "smolvlm", "idefics3", "gemma3")
LONG = "Look closely at every part of the picture. " * 400


@pytest.mark.parametrize("family", FAMILIES)
def test_another_picture_changes_the_logits(family: str, checkpoint: Callable[[str], Path]) -> None:
    import torch
    import transformers

    folder = checkpoint(family)
    processor = transformers.AutoProcessor.from_pretrained(folder)
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()

    def logits(colour: str, text: str = "What is it?") -> Any:
        picture = Image.new("RGB", (120, 80), colour)
        parts = [{"type": "image", "image": picture}, {"type": "text", "text": text}]
        turns = [{"role": "system", "content": [{"type": "text", "text": "Look."}]}, {"role": "user", "content": parts}]
        options = {"add_generation_prompt": True, "tokenize": True, "return_dict": True, "return_tensors": "pt"}
        inputs = processor.apply_chat_template(turns, **options)
        with torch.inference_mode():
            return model(**inputs).logits[0, -1]

    red = logits("red")
    assert torch.equal(red, logits("red"))
    assert (red - logits("blue")).abs().max() > 0.05
    assert logits("red", LONG).isfinite().all()
