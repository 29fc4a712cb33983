"""Drawn pictures about which there is something to be asked, and what is true of them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw

SIDE = 112
GROUNDS = {"red": (200, 35, 35), "green": (35, 170, 45), "blue": (35, 50, 200)}
SHAPES = ("disc", "frame", "nothing")
VERDICTS = {
    "red": "generated",
    "blue": "real",
    "green": "cannot tell",
    "disc": "generated",
    "frame": "real",
    "nothing": "cannot tell",
}
"""What the model is taught to conclude, so that labels depend on the picture."""


@dataclass(frozen=True)
class Drawing:
    """A white shape, or nothing, on a coloured ground."""

    ground: str
    shape: str
    image: Image.Image

    def answer(self, paradigm: str) -> str:
        """The whole answer to a paradigm's question."""
        seen = self.ground if paradigm == "colour" else self.shape
        what = "The ground is" if paradigm == "colour" else "Drawn is"
        return f"{what} {seen}.\nVerdict: {VERDICTS[seen]}"

    def label(self, paradigm: str) -> str:
        """The label that a report should carry."""
        said = VERDICTS[self.ground if paradigm == "colour" else self.shape]
        return "undecided" if said == "cannot tell" else said

    @property
    def delivered(self) -> Image.Image:
        """The picture with the traces that JPEG leaves."""
        stream = io.BytesIO()
        self.image.save(stream, "JPEG", quality=90)
        return Image.open(stream).convert("RGB")

    @property
    def png(self) -> bytes:
        """The picture as a file."""
        stream = io.BytesIO()
        self.image.save(stream, "PNG")
        return stream.getvalue()


def draw(ground: str, shape: str, random: Random) -> Drawing:
    """A drawing with shades, place and size of its own."""
    colour = tuple(max(0, min(255, value + random.randint(-30, 30))) for value in GROUNDS[ground])
    image = Image.new("RGB", (SIDE, SIDE), colour)
    half = random.randint(24, 34)
    x, y = (SIDE // 2 + random.randint(-10, 10) for _ in range(2))
    white = (random.randint(230, 255),) * 3
    brush = ImageDraw.Draw(image)
    if shape == "disc":
        brush.ellipse((x - half, y - half, x + half, y + half), fill=white)
    elif shape == "frame":
        brush.rectangle((0, 0, SIDE, SIDE), outline=white, width=half // 2)
    return Drawing(ground, shape, image)


def draw_any(random: Random) -> Drawing:
    """A drawing of any kind."""
    return draw(random.choice(tuple(GROUNDS)), random.choice(SHAPES), random)


def draw_every(count: int, random: Random) -> list[Drawing]:
    """`count` drawings of every kind."""
    return [draw(ground, shape, random) for ground in GROUNDS for shape in SHAPES for _ in range(count)]
