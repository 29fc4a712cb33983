"""Boxes from a model's eye back to the original picture: a toy that really looks finds a drawn square."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy
import PIL.Image
import PIL.ImageDraw
import pytest

from backends.backend import BoxFormat, Capabilities
from backends.models import known_facts, seen_size
from backends.providers.function import FunctionBackend
from backends.request import Picture, Request
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge
from paradigms.region import RegionSource

from .conftest import SPEC, SUBJECT, answer, sign

THOUSANDS = (BoxFormat.THOUSAND, BoxFormat.THOUSAND_Y_FIRST)
SIZES = [(640, 200), (180, 600), (333, 250)]
SQUARE = (0.55, 0.2, 0.8, 0.6)
"""Of every picture, as fractions."""


def drawn(size: tuple[int, int]) -> bytes:
    """A grey picture with a red box at `SQUARE`."""
    width, height = size
    image = PIL.Image.new("RGB", size, (120, 125, 130))
    x0, y0, x1, y1 = SQUARE
    PIL.ImageDraw.Draw(image).rectangle((x0 * width, y0 * height, x1 * width - 1, y1 * height - 1), fill=(220, 20, 20))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


class Looking:
    """A model that finds the red box in the picture it is sent, and writes it in the scale of its family.

    With `named` it names the edges as it is asked to, else it writes a list in the order of its family.
    """

    def __init__(self, capabilities: Capabilities, named: bool = True) -> None:
        self.capabilities = capabilities
        self.named = named

    async def __call__(self, request: Request) -> str:
        if request.origin.purpose == "subject":
            return SUBJECT
        if not request.pictures:
            return "four sides"
        box: Any = self.scaled(request.pictures[0])
        if not self.named:
            y_first = self.capabilities.box_format is BoxFormat.THOUSAND_Y_FIRST
            box = [box[edge] for edge in (("y0", "x0", "y1", "x1") if y_first else ("x0", "y0", "x1", "y1"))]
        return answer("real", observations=[{**sign("red box", "real", 2), "region": box}])

    def scaled(self, picture: Picture) -> dict[str, float]:
        seen = seen_size(self.capabilities, picture.width, picture.height)
        image = PIL.Image.open(io.BytesIO(picture.data)).convert("RGB")
        assert seen is not None
        pixels = numpy.asarray(image.resize(seen)).astype(int)
        rows, columns = numpy.nonzero((pixels[..., 0] > 170) & (pixels[..., 1] < 90))
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        thousand = (1000 / seen[0], 1000 / seen[1])
        scales = {BoxFormat.PIXELS: (1.0, 1.0), **dict.fromkeys(THOUSANDS, thousand)}
        x, y = scales.get(self.capabilities.box_format or BoxFormat.UNIT, (1 / seen[0], 1 / seen[1]))
        values = [box[0] * x, box[1] * y, box[2] * x, box[3] * y]
        whole = self.capabilities.box_format in (BoxFormat.PIXELS, *THOUSANDS)
        return dict(zip(("x0", "y0", "x1", "y1"), [round(v) if whole else round(v, 4) for v in values], strict=True))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "known",
    [
        {"box_format": BoxFormat.UNIT},
        {"box_format": BoxFormat.THOUSAND},
        {"box_format": BoxFormat.THOUSAND_Y_FIRST},
        {"box_format": BoxFormat.PIXELS},
        {"box_format": BoxFormat.PIXELS, "image_multiple": 28},
        {"box_format": None},
    ],
    ids=["unit", "thousand", "thousand, y first", "pixels", "pixels of a resized picture", "unknown, in fractions"],
)
@pytest.mark.parametrize("named", [True, False], ids=["named", "listed"])
async def test_a_drawn_box_comes_back_where_it_is(size: tuple[int, int], known: dict[str, Any], named: bool) -> None:
    await see_and_map(size, Looking(Capabilities(**known), named))


FAMILIES = [
    "Qwen2-VL-7B-Instruct",
    "Qwen2.5-VL-7B-Instruct",
    "Qwen3-VL-8B-Instruct",
    "Qwen3.5-9B",
    "InternVL3-8B",
    "GLM-4.5V",
    "MiniCPM-V-4_5",
    "deepseek-vl2",
    "gemini-3-pro",
    "claude-sonnet-4-5",
]


@pytest.mark.parametrize("model", FAMILIES)
async def test_a_drawn_box_of_every_family_that_is_known_comes_back_where_it_is(model: str) -> None:
    capabilities = known_facts("compatible", model).capabilities("this process", hosted=False)
    assert capabilities.box_format is not None
    await see_and_map((640, 200), Looking(capabilities, named=False))


async def see_and_map(size: tuple[int, int], looking: Looking) -> None:
    capabilities = looking.capabilities
    settings = ("cache=false", "strict=true", "image.max_edge=160", "fusion.strategy=tally")
    ensemble = load_ensemble("six", Overrides(backend=SPEC, settings=settings))
    backend = FunctionBackend(looking, SPEC, capabilities)
    async with Judge(ensemble, backends={SPEC: backend}) as judge:
        verdict = await judge.judge(drawn(size))
    found = [item for item in verdict.evidence if item.name == "red box"]
    assert len(found) == 6
    for item in found:
        assert item.region_source is RegionSource.MODEL
        assert item.region is not None
        got = (item.region.x0, item.region.y0, item.region.x1, item.region.y1)
        # One pixel of the small delivered picture, on either side.
        assert got == pytest.approx(SQUARE, abs=0.03)


async def test_boxes_in_an_unknown_scale_are_dropped_and_said_so() -> None:
    async def absolute(request: Request) -> str:
        if request.origin.purpose == "subject":
            return SUBJECT
        box = {"x0": 88, "y0": 10, "x1": 128, "y1": 30}
        return answer("real", observations=[{**sign("red box", "real", 2), "region": box}])

    ensemble = load_ensemble("six", Overrides(backend=SPEC, settings=("cache=false", "strict=true")))
    async with Judge(ensemble, backends={SPEC: FunctionBackend(absolute, SPEC)}) as judge:
        verdict = await judge.judge(drawn((640, 200)))
    assert all(item.region is None for item in verdict.evidence)
    assert "dropped" in verdict.reports[0].notes[0]
    assert json.loads(verdict.model_dump_json())["evidence"][0]["region"] is None
