from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from backends.completion import Completion
from backends.errors import ImageError
from backends.providers.function import FunctionBackend
from backends.request import Request
from evals.data.dataset import DataSet
from evals.data.item import Item
from evals.data.spec import Reencode
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge
from orchestrator.perturbations import perturb


def test_all_pictures_take_one_path_when_reencoded(draw: Any) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "A maker"
    camera = draw("a.jpg", size=(60, 40), exif=exif, quality=70)
    for path in (camera, draw("b.png", size=(40, 60)), draw("c.webp", size=(40, 60))):
        made = Item(path.name, path).load(Reencode(quality=80, max_edge=30))
        assert (made.format, made.width, made.height) == ("JPEG", 20, 30)
        opened = PIL.Image.open(io.BytesIO(made.data))
        assert not opened.getexif()
        assert "icc_profile" not in opened.info
        assert made.perturbed_from == Item(path.name, path).sha256
        assert made.notes[-1] == "re-encoded as JPEG of quality 80"


def test_without_reencoding_the_file_is_left_as_it_is(draw: Any) -> None:
    path = draw("a.png")
    assert Item("a", path).load().data == path.read_bytes()
    assert Item("a", path).load(Reencode()).width == 48


def test_a_file_that_is_not_there_costs_only_itself(tmp_path: Path) -> None:
    gone = Item("real/gone.png", tmp_path / "gone.png")
    assert gone.digest is None
    with pytest.raises(ImageError, match=r"real/gone\.png: No such file"):
        assert gone.sha256
    with pytest.raises(ImageError):
        gone.load()


async def test_no_model_is_told_a_name_or_a_label_of_the_data_set(draw: Any, load: Callable[..., DataSet]) -> None:
    asked: list[Request] = []

    async def answer(request: Request) -> Completion | str:
        asked.append(request)
        return "subject: wheel\nmedium: photograph" if request.origin.purpose == "subject" else "Verdict: real"

    draw("fake/zanzibar_fake_0001.png")
    (item,) = load().items
    ensemble = load_ensemble("six", Overrides(backend="a:b", settings=("cache=false", "stability=1")))
    async with Judge(ensemble, backends={"a:b": FunctionBackend(answer, "a:b")}) as judge:
        for image in (item.load(), item.load(Reencode()), perturb(item.load(), "screenshot")):
            await judge.judge(image)
    assert len(asked) >= 30
    for request in asked:
        sent = repr([(message.role, message.text) for message in request.messages])
        assert "zanzibar" not in sent
        assert b"zanzibar" not in b"".join(picture.data for picture in request.pictures)
