"""A drawn picture to render prompts with when no other is at hand."""

from __future__ import annotations

import PIL.Image
import PIL.ImageDraw

SIZE = (640, 480)
SUBJECT = "small sailing boat"


def draw_sample() -> PIL.Image.Image:
    """A boat on the sea under a sun, always the same."""
    picture = PIL.Image.linear_gradient("L").resize(SIZE).convert("RGB")
    brush = PIL.ImageDraw.Draw(picture)
    brush.rectangle((0, 300, *SIZE), fill=(40, 80, 120))
    brush.ellipse((480, 40, 560, 120), fill=(250, 220, 120))
    brush.polygon(((180, 280), (420, 280), (380, 350), (220, 350)), fill=(120, 60, 40))
    brush.polygon(((300, 90), (300, 270), (410, 270)), fill=(235, 235, 225))
    brush.line((300, 80, 300, 285), fill=(60, 40, 30), width=6)
    return picture
