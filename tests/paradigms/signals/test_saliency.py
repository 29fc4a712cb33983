import numpy as np
import PIL.Image
import pytest
from pydantic import ValidationError

from backends.errors import ConfigError
from paradigms.region import Region
from paradigms.signals.saliency import Proposal, propose_regions


def noise(width: int, height: int, seed: int = 0) -> PIL.Image.Image:
    """Coarse colour noise, so that something remains after reduction."""
    cells = np.random.default_rng(seed).integers(0, 255, (24, 24, 3), np.uint8)
    return PIL.Image.fromarray(cells).resize((width, height), PIL.Image.Resampling.BICUBIC)


def with_object(box: tuple[int, int, int, int], size: tuple[int, int] = (600, 400)) -> PIL.Image.Image:
    """A plain grey wall with one textured thing on it."""
    picture = PIL.Image.new("RGB", size, (128, 130, 126))
    picture.paste(noise(box[2] - box[0], box[3] - box[1]), box[:2])
    return picture


def overlap(one: Region, other: Region) -> float:
    """Intersection over union."""
    width = max(0.0, min(one.x1, other.x1) - max(one.x0, other.x0))
    height = max(0.0, min(one.y1, other.y1) - max(one.y0, other.y0))
    areas = sum((r.x1 - r.x0) * (r.y1 - r.y0) for r in (one, other))
    return width * height / (areas - width * height)


@pytest.mark.parametrize("box", [(60, 40, 180, 140), (420, 40, 540, 140), (60, 260, 180, 360), (240, 150, 360, 250)])
def test_the_first_region_holds_the_thing_that_stands_out(box):
    proposal = propose_regions(with_object(box))
    region = proposal.regions[0]
    assert proposal.method == "saliency"
    assert region.x0 < (box[0] + box[2]) / 2 / 600 < region.x1
    assert region.y0 < (box[1] + box[3]) / 2 / 400 < region.y1


def test_two_things_get_a_region_each():
    picture = with_object((60, 40, 180, 140))
    picture.paste(noise(120, 100, seed=2), (400, 250))
    regions = propose_regions(picture).regions
    assert len(regions) == 2
    for x, y in ((120 / 600, 90 / 400), (460 / 600, 300 / 400)):
        assert sum(r.x0 < x < r.x1 and r.y0 < y < r.y1 for r in regions) == 1


@pytest.mark.parametrize("corner", [(0, 0), (480, 300)])
def test_of_two_equal_things_the_one_nearer_to_the_centre_comes_first(corner):
    picture = with_object((240, 150, 360, 250))
    picture.paste(picture.crop((240, 150, 360, 250)), corner)
    first = propose_regions(picture).regions[0]
    assert first.x0 < 0.5 < first.x1
    assert first.y0 < 0.5 < first.y1


@pytest.mark.parametrize("size", [(32, 32), (33, 700), (640, 480), (480, 640), (2000, 40), (40, 2000), (901, 77)])
@pytest.mark.parametrize("seed", range(3))
def test_regions_are_of_useful_size_and_overlap_little(size, seed):
    regions = propose_regions(noise(*size, seed=seed), count=2).regions
    for region in regions:
        assert 0.15 <= region.x1 - region.x0 <= 0.6
        assert 0.15 <= region.y1 - region.y0 <= 0.6
    assert len(regions) == 2
    assert overlap(*regions) < 0.25


PLAIN = {
    "white": lambda: PIL.Image.new("RGB", (300, 200), "white"),
    "gradient": lambda: PIL.Image.linear_gradient("L").resize((300, 200)).convert("RGB"),
    "one pixel": lambda: PIL.Image.new("RGB", (1, 1), "red"),
    "tiny": lambda: noise(31, 400),
    "strip": lambda: PIL.Image.new("RGB", (30000, 1)),
}


@pytest.mark.parametrize("kind", PLAIN)
def test_plain_and_tiny_pictures_get_their_middle(kind):
    proposal = propose_regions(PLAIN[kind]())
    assert proposal == Proposal(regions=(Region(x0=0.25, y0=0.25, x1=0.75, y1=0.75),), method="centre")


@pytest.mark.parametrize("tint", [False, True])
def test_colours_without_contrast_do_not_outweigh_the_brightness(tint):
    """The residual of a constant is a peak in the corner, and that of nearly a constant is the same everywhere."""
    picture = with_object((480, 290, 590, 390)).convert("L").convert("RGB")
    if tint:
        picture.paste((128, 130, 131), (300, 150, 360, 210))
    first, *others = propose_regions(picture, count=4).regions
    assert first.x0 < 535 / 600 < first.x1
    assert first.y0 < 340 / 400 < first.y1
    assert not any(region.x0 == 0 and region.y0 == 0 for region in others)


def test_the_count_is_the_most_there_can_be():
    picture = noise(400, 300)
    assert len(propose_regions(picture, count=1).regions) == 1
    assert propose_regions(picture, count=1).regions[0] == propose_regions(picture, count=3).regions[0]
    assert 3 <= len(propose_regions(picture, count=500).regions) < 100


@pytest.mark.parametrize("count", [0, -3])
def test_no_regions_cannot_be_asked_for(count):
    with pytest.raises(ConfigError, match="at least 1"):
        propose_regions(noise(100, 100), count=count)


def test_the_picture_is_left_as_it_was_and_the_result_is_the_same_again():
    picture = noise(500, 400)
    before = picture.tobytes()
    assert propose_regions(picture) == propose_regions(picture)
    assert picture.tobytes() == before


def test_a_proposal_has_at_least_one_region():
    with pytest.raises(ValidationError):
        Proposal(regions=(), method="centre")
