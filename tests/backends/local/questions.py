"""Small pictures and questions about them, and engines of tiny checkpoints."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from backends.request import Message, Picture, Request, Sampling, Text

SYSTEM = Message("system", (Text("You look at pictures closely and say in plain words what you see."),))
FAST = ("idefics3", "llava", "gemma3")
SLOW = ("qwen2_5_vl", "qwen3_vl", "llava_onevision", "internvl", "smolvlm")

Open = Callable[..., Any]
"""Opens an engine: the family, and settings by name."""


def drawn(seed: int, size: tuple[int, int] = (120, 80)) -> Picture:
    """A disc on a ground; another one for each seed."""
    image = Image.new("RGB", size, (seed * 40 % 255, seed * 90 % 255, seed * 17 % 255))
    ImageDraw.Draw(image).ellipse((10, 10, 60, 60), fill=(255 - seed * 20, 30, 90))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    data = stream.getvalue()
    return Picture(data, "image/png", hashlib.sha256(data).hexdigest(), *size)


def ask(
    *parts: str | Picture, sampling: Sampling | None = None, system: Message | None = SYSTEM, **more: Any
) -> Request:
    """A request of one user's turn; at most 8 answer tokens unless `sampling` says otherwise."""
    said = tuple(Text(part) if isinstance(part, str) else part for part in parts)
    before = () if system is None else (system,)
    return Request((*before, Message("user", said)), sampling or Sampling(max_tokens=8), **more)


def opener(checkpoint: Callable[[str], Path]) -> Open:
    """What opens engines."""
    from backends.local.load import survey
    from backends.local.settings import LocalSettings

    def open_engine(family: str | Path, **settings: Any) -> Any:
        folder = family if isinstance(family, Path) else checkpoint(family)
        return survey(str(folder), LocalSettings(**{"threads": 1, **settings})).load()

    return open_engine
