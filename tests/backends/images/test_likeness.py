from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest

from backends.images.image import Image
from backends.images.likeness import alike, likeness


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> PIL.Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    return PIL.Image.fromarray(coarse).resize(size, PIL.Image.Resampling.BICUBIC)


def test_a_copy_is_told_by_its_likeness_and_another_picture_is_not() -> None:
    original = scene(1)
    file = io.BytesIO()
    original.resize((150, 110)).save(file, "JPEG", quality=40)
    copy = PIL.Image.open(file)
    assert alike(likeness(original), likeness(copy))
    assert not any(alike(likeness(original), likeness(scene(seed))) for seed in range(2, 40))
    assert not alike(likeness(original), likeness(original.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT)))


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (64, 64)])
def test_a_plain_picture_is_like_nothing_not_even_itself(size: tuple[int, int]) -> None:
    plain = likeness(PIL.Image.new("RGB", size, (90, 90, 91)))
    assert plain is None
    assert not alike(plain, plain)


def test_a_picture_made_from_another_remembers_the_file_and_forgets_the_path() -> None:
    file, other = io.BytesIO(), io.BytesIO()
    scene(1).save(file, "PNG")
    scene(1).rotate(180).save(other, "PNG")
    image = Image.read(file.getvalue(), name="a.png", path="folder/a.png")
    made = image.replaced(other.getvalue(), "turned")
    assert (made.name, made.path, made.notes) == ("a.png", None, ("turned",))
    assert made.perturbed_from == image.sha256 != made.sha256
    assert made.replaced(file.getvalue(), "and back").perturbed_from == image.sha256
    assert image.perturbed_from is None
