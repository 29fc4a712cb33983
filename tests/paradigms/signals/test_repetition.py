import io

import numpy as np
import PIL.Image
import pytest
from PIL import ImageDraw, ImageFilter

from paradigms.region import RegionSource
from paradigms.signals import repetition
from paradigms.signals.repetition import find_repetition


@pytest.fixture(autouse=True, params=["small", "large"])
def of_a_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything holds for originals that are made grey first, and for those that are too large for it."""
    if request.param == "large":
        monkeypatch.setattr(repetition, "_GREY_FIRST", 0)


def scene(width: int = 480, height: int = 360, seed: int = 1) -> PIL.Image.Image:
    """Something like a photograph: blurred noise at several scales, over a gradient."""
    rng = np.random.default_rng(seed)
    total = np.linspace(60, 160, height)[:, None, None] * np.ones((1, width, 3))
    for cells in (6, 20, 60, 160):
        noise = PIL.Image.fromarray(rng.integers(0, 255, (max(1, cells * height // width), cells, 3), np.uint8))
        total += (np.asarray(noise.resize((width, height), PIL.Image.Resampling.BICUBIC), float) - 127) * 0.3
    return PIL.Image.fromarray(total.clip(0, 255).astype(np.uint8))


def flipped(picture: PIL.Image.Image) -> PIL.Image.Image:
    return picture.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT)


def mirrored(picture: PIL.Image.Image) -> PIL.Image.Image:
    out = picture.copy()
    half = picture.crop((0, 0, picture.width // 2, picture.height))
    out.paste(flipped(half), (picture.width - half.width, 0))
    return out


def tiled(tile: PIL.Image.Image, width: int, height: int) -> PIL.Image.Image:
    out = PIL.Image.new("RGB", (width, height))
    for x in range(0, width, tile.width):
        for y in range(0, height, tile.height):
            out.paste(tile, (x, y))
    return out


def jpeg(picture: PIL.Image.Image, quality: int = 75) -> PIL.Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return PIL.Image.open(file).convert("RGB")


def halved(picture: PIL.Image.Image) -> PIL.Image.Image:
    return picture.resize((picture.width // 2, picture.height // 2), PIL.Image.Resampling.BICUBIC)


def names(picture: PIL.Image.Image) -> list[str]:
    return [item.name for item in find_repetition(picture)]


@pytest.mark.parametrize("spoil", [lambda p: p, jpeg, lambda p: halved(jpeg(p)), lambda p: jpeg(p.resize((333, 251)))])
def test_a_mirrored_picture_is_found_after_re_encoding(spoil):
    (item,) = find_repetition(spoil(mirrored(scene())))
    assert item.name == "mirrored content"
    assert "vertical line in the middle" in item.phenomenon
    assert (item.region.x0, item.region.y0, item.region.x1, item.region.y1) == (0, 0, 1, 1)


def test_top_to_bottom_is_told_from_left_to_right():
    turned = mirrored(scene()).transpose(PIL.Image.Transpose.ROTATE_90)
    (item,) = find_repetition(turned)
    assert "horizontal line in the middle" in item.phenomenon


def test_a_mirror_line_beside_the_middle_is_placed():
    whole = mirrored(scene())
    (item,) = find_repetition(whole.crop((72, 0, 480, 360)))
    assert "vertical line at 41% of the width" in item.phenomenon
    assert item.region.x0 == 0
    assert item.region.x1 == pytest.approx(336 / 408, abs=0.01)


@pytest.mark.parametrize("spoil", [lambda p: p, jpeg, lambda p: halved(jpeg(p))])
def test_tiling_is_found_along_both_axes(spoil):
    found = find_repetition(spoil(tiled(scene(150, 120), 480, 360)))
    assert [item.name for item in found] == ["tiled content", "tiled content"]
    assert "from left to right" in found[0].phenomenon
    assert "from top to bottom" in found[1].phenomenon


def test_the_period_is_given_in_pixels_of_the_original():
    (item,) = find_repetition(tiled(scene(600, 900), 1800, 900))
    assert "about every 600 pixels from left to right" in item.phenomenon


def test_two_copies_side_by_side_are_enough():
    (item,) = find_repetition(tiled(scene(240, 360), 480, 360))
    assert "about every 240 pixels from left to right" in item.phenomenon


def test_copies_are_not_lost_to_what_the_border_hides():
    """Detail beside the border of the picture looks unlike the same detail beside a seam."""
    tile = PIL.Image.new("RGB", (240, 360), "grey")
    tile.paste(scene(20, 360), (0, 0))
    (item,) = find_repetition(tiled(tile, 480, 360))
    assert "about every 240 pixels from left to right" in item.phenomenon


def test_a_checkerboard_is_tiled():
    board = np.kron(np.indices((12, 12)).sum(0) % 2, np.ones((20, 20))) * 255
    assert "tiled content" in names(PIL.Image.fromarray(board.astype(np.uint8)).convert("RGB"))


def test_evidence_points_to_neither_side_and_says_what_else_leaves_it():
    items = (*find_repetition(mirrored(scene())), *find_repetition(tiled(scene(150, 360), 480, 360)))
    assert len(items) == 2
    for item in items:
        assert item.points_to is None
        assert item.severity is None
        assert item.category == "repetition"
        assert item.region_source is RegionSource.MEASURED
        assert "textured patches are the same" in item.phenomenon
        assert "does not say what made the picture" in item.reasoning
        assert "pattern" in item.ordinary_cause


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_found_in_ordinary_scenes(seed):
    assert names(scene(seed=seed)) == []
    assert names(jpeg(scene(seed=seed), 40)) == []


def lines() -> PIL.Image.Image:
    picture = PIL.Image.new("RGB", (480, 360), "white")
    draw = ImageDraw.Draw(picture)
    for y in range(0, 360, 18):
        draw.line((0, y, 480, y), fill="black", width=3)
    return picture


def circle() -> PIL.Image.Image:
    picture = PIL.Image.new("RGB", (480, 360), "white")
    ImageDraw.Draw(picture).ellipse((120, 60, 360, 300), fill="navy")
    return picture


def page() -> PIL.Image.Image:
    picture = PIL.Image.new("RGB", (480, 360), "white")
    draw = ImageDraw.Draw(picture)
    rng = np.random.default_rng(3)
    for y in range(10, 350, 14):
        draw.text((12, y), "".join(rng.choice(list("abcdefghij klmnop"), 70)), fill="black")
    return picture


def icons() -> PIL.Image.Image:
    """A grid of equal frames with different content, as on a screen."""
    picture = PIL.Image.new("RGB", (480, 360), (40, 40, 50))
    draw = ImageDraw.Draw(picture)
    for index in range(20):
        x, y = 12 + index % 5 * 94, 12 + index // 5 * 88
        draw.rounded_rectangle((x, y, x + 70, y + 60), 8, outline="white")
        picture.paste(scene(60, 50, seed=index), (x + 5, y + 5))
    return picture


PLAIN = {
    "white": lambda: PIL.Image.new("RGB", (480, 360), "white"),
    "gradient": lambda: PIL.Image.linear_gradient("L").resize((480, 360)).convert("RGB"),
    "vignette": lambda: PIL.Image.radial_gradient("L").resize((480, 360)).convert("RGB"),
    "sky": lambda: mirrored(scene()).filter(ImageFilter.GaussianBlur(40)),
    "grain": lambda: PIL.Image.fromarray(np.random.default_rng(5).normal(120, 6, (360, 480, 3)).astype(np.uint8)),
    "lines": lines,
    "circle": circle,
    "page": page,
    "icons": icons,
}


@pytest.mark.parametrize("kind", PLAIN)
def test_plain_and_drawn_pictures_are_not_repeated(kind):
    assert names(PLAIN[kind]()) == []


def test_a_nearly_symmetric_scene_is_not_mirrored():
    """As a building front or a face: the same things on both sides, but a little displaced."""
    half = scene(240, 360)
    rng = np.random.default_rng(7)
    bend = PIL.Image.fromarray(rng.normal(0, 6, (6, 4)).astype(np.float32)).resize(
        (240, 360), PIL.Image.Resampling.BICUBIC
    )
    columns = (np.arange(240) + np.asarray(bend)).round().clip(0, 239).astype(int)
    other = np.take_along_axis(np.asarray(half), columns[:, :, None], axis=1)
    picture = PIL.Image.new("RGB", (480, 360))
    picture.paste(half, (0, 0))
    picture.paste(flipped(PIL.Image.fromarray(other)), (240, 0))
    assert names(picture) == []


def test_a_darker_reflection_is_not_a_copy():
    whole = mirrored(scene())
    whole.paste(whole.crop((240, 0, 480, 360)).point(lambda value: value // 2), (240, 0))
    assert names(whole) == []


def test_a_symmetric_frame_around_other_content_is_not_mirrored():
    picture = mirrored(scene())
    picture.paste(scene(400, 280, seed=9), (40, 40))
    assert names(picture) == []


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (47, 500), (48, 48), (8000, 1), (1, 8000), (20000, 60)])
def test_any_size_is_taken(size):
    assert names(PIL.Image.effect_noise(size, 80).convert("RGB")) == []


def test_the_picture_is_left_as_it_was_and_the_result_is_the_same_again():
    picture = mirrored(scene())
    before = picture.tobytes()
    assert find_repetition(picture) == find_repetition(picture)
    assert picture.tobytes() == before
