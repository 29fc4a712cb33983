import re

import numpy as np
import PIL.Image
import pytest
from pydantic import ValidationError

from paradigms.signals.measurement import MEASUREMENTS, Measurement


def noise(width: int, height: int) -> PIL.Image.Image:
    cells = np.random.default_rng(4).integers(0, 255, (height // 6, width // 6, 3), np.uint8)
    return PIL.Image.fromarray(cells).resize((width, height), PIL.Image.Resampling.BICUBIC)


def twice(picture: PIL.Image.Image) -> PIL.Image.Image:
    out = PIL.Image.new("RGB", (2 * picture.width, picture.height))
    for x in (0, picture.width):
        out.paste(picture, (x, 0))
    return out


PICTURES = {
    "noise": noise(300, 240),
    "tiled": twice(noise(180, 300)),
    "plain": PIL.Image.new("RGB", (200, 100)),
    "one pixel": PIL.Image.new("RGB", (1, 1)),
}


@pytest.mark.parametrize("name", ["regions", "repetition"])
@pytest.mark.parametrize("picture", PICTURES)
def test_every_measurement_says_something_and_never_takes_a_side(name, picture):
    measurement = MEASUREMENTS[name](PICTURES[picture])
    assert measurement.name == name
    assert measurement.text.endswith(".")
    assert all(item.points_to is None and item.severity is None for item in measurement.evidence)
    said = measurement.text + " ".join(item.model_dump_json() for item in measurement.evidence)
    assert not re.search(r"fake|forged|authentic|verified|detected|confirmed|probab", said, re.IGNORECASE)
    assert "label" not in measurement.model_dump()


def test_the_registry_cannot_be_changed():
    assert sorted(MEASUREMENTS) == ["regions", "repetition"]
    with pytest.raises(TypeError):
        MEASUREMENTS["mood"] = MEASUREMENTS["regions"]


def test_no_repetition_says_that_it_means_nothing():
    measurement = MEASUREMENTS["repetition"](PICTURES["noise"])
    assert measurement.text.startswith("No exact mirroring or tiling was found; this says nothing")
    assert measurement.evidence == ()
    assert measurement.regions == ()


def test_repetition_is_told_with_its_evidence():
    measurement = MEASUREMENTS["repetition"](PICTURES["tiled"])
    (item,) = measurement.evidence
    assert item.phenomenon in measurement.text
    assert measurement.text.endswith("it does not say how the picture was made.")


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ((10, 10), "at the upper left"),
        ((250, 10), "at the top"),
        ((490, 310), "at the lower right"),
        ((10, 160), "at the middle left"),
        ((250, 160), "in the middle"),
        ((250, 310), "at the bottom"),
    ],
)
def test_regions_are_placed_in_words(at, words):
    picture = PIL.Image.new("RGB", (600, 400), "grey")
    picture.paste(noise(102, 84), at)
    measurement = MEASUREMENTS["regions"](picture)
    assert measurement.text.startswith(f"Worth a closer look: {words}")
    assert 1 <= len(measurement.regions) <= 2
    assert measurement.evidence == ()


def test_without_anything_that_stands_out_the_middle_is_proposed():
    measurement = MEASUREMENTS["regions"](PICTURES["plain"])
    assert "the middle is proposed" in measurement.text
    assert len(measurement.regions) == 1


def test_a_measurement_has_no_room_for_a_label():
    with pytest.raises(ValidationError):
        Measurement(name="regions", text="Something.", label="generated")
