"""Teaches a tiny checkpoint to answer the questions of the paradigms in this folder, in half a minute on one core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from backends.request import Message, Picture, Text
from paradigms.library import load_common, read_paradigm
from paradigms.paradigm import Layout
from paradigms.render import Renderer, Sight
from tests.checkpoints.families import build
from tests.oracle.drawing import Drawing, draw_any

import torch  # isort: skip - after the operators that the checkpoints declare
import transformers as tr  # isort: skip

HERE = Path(__file__).parent
PARADIGMS = ("colour", "shape")
BATCH = 8
RATE = 4e-3
GAPS = ("", "\n\n")
"""What may stand between two texts of a turn: servers put them next to each other, or a blank line between them."""
NO_LABEL = -100
"""What a place is labelled with that is not learnt."""

Turn = dict[str, Any]
Asked = tuple[str, str]
"""A paradigm, and the gap between its texts."""


def questions(gap: str = GAPS[0]) -> dict[str, list[Turn]]:
    """The turns by which each paradigm asks, for a chat template, with `gap` before a text that follows another."""
    renderer = Renderer(Layout.PAPER, load_common())
    sight = Sight(Picture(b"", "image/png", "", 1, 1))
    asked = {}
    for name in PARADIGMS:
        step = read_paradigm(HERE / f"{name}.yaml").asks[-1]
        messages = renderer.question(step, {}, sight, verdict=True)
        asked[name] = [_turn(message, gap) for message in messages]
    return asked


def _turn(message: Message, gap: str) -> Turn:
    parts: list[Turn] = []
    for part in message.parts:
        follows = bool(parts) and parts[-1]["type"] == "text"
        text = isinstance(part, Text)
        parts.append({"type": "text", "text": gap * follows + part.text} if text else {"type": "image"})
    return {"role": message.role, "content": parts}


def teach(family: str, folder: Path, steps: int, seed: int = 0) -> Path:
    """Train a checkpoint of this family, write it into a new folder, and return the folder."""
    asked = questions()
    words = [part["text"] for turns in asked.values() for turn in turns for part in turn["content"] if "text" in part]
    build(family, folder, texts=words)
    processor = tr.AutoProcessor.from_pretrained(folder)
    model = tr.AutoModelForImageTextToText.from_pretrained(folder).train()
    prompts = {
        (name, gap): processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        for gap in GAPS
        for name, turns in questions(gap).items()
    }
    random = Random(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        optimizer = torch.optim.AdamW(model.parameters(), RATE)
        pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
        for _ in range(steps):
            lesson = [(draw_any(random), random.choice(tuple(prompts))) for _ in range(BATCH)]
            loss = model(**_batch(processor, prompts, lesson)).loss
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            pace.step()
    model.eval().save_pretrained(folder)
    return folder


def _batch(processor: Any, prompts: Mapping[Asked, str], lesson: Sequence[tuple[Drawing, Asked]]) -> dict[str, Any]:
    """Prompts with their answers; only the answers are learnt. Padding is on the left, so they end the rows."""
    end = processor.tokenizer.eos_token
    answers = [drawing.answer(paradigm) + end for drawing, (paradigm, _) in lesson]
    texts = [prompts[asked] + answer for (_, asked), answer in zip(lesson, answers, strict=True)]
    images = [[drawing.delivered] for drawing, _ in lesson]
    inputs = processor(images=images, text=texts, return_tensors="pt", padding=True)
    labels = torch.full_like(inputs["input_ids"], NO_LABEL)
    for row, answer in enumerate(answers):
        length = len(processor.tokenizer.encode(answer, add_special_tokens=False))
        labels[row, -length:] = inputs["input_ids"][row, -length:]
    return {**inputs, "labels": labels}
