from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest
from PIL import ImageCms

from backends.errors import ImageError, UnknownNameError
from backends.images.image import Image, ImageLimits
from backends.images.source import load_image
from orchestrator.perturbations import MILD, PERTURBATIONS, TEXT, perturb, resized_and_back
from orchestrator.sample import draw_sample


@pytest.fixture(scope="module")
def image() -> Image:
    file = io.BytesIO()
    exif = PIL.Image.Exif()
    exif[0x010F] = "A maker"
    draw_sample().save(file, "JPEG", quality=97, exif=exif)
    return Image.read(file.getvalue(), name="generated_001.jpg", path="fake/generated_001.jpg")


def array(image: Image) -> np.ndarray:
    return np.asarray(image.pixels(), dtype=np.int32)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_each_changes_the_picture_always_alike_and_leaves_no_metadata(image: Image, name: str) -> None:
    one, again = perturb(image, name), perturb(image, name)
    assert one.data == again.data != image.data
    assert one.sha256 != image.sha256 == one.perturbed_from
    assert (one.name, one.path) == (image.name, None)
    assert f"perturbed: {name}" in one.notes
    opened = PIL.Image.open(io.BytesIO(one.data))
    assert not opened.getexif()
    assert one.format == ("JPEG" if "jpeg" in name else "PNG")
    assert array(one).shape != array(image).shape or np.abs(array(one) - array(image)).max() > 0


def test_sizes_are_those_that_the_names_say(image: Image) -> None:
    sizes = {name: (made.width, made.height) for name in PERTURBATIONS for made in [perturb(image, name)]}
    assert sizes.pop("crop_90") == (576, 432)
    assert sizes.pop("crop_75") == (480, 360)
    assert sizes.pop("jpeg_75_half") == (320, 240)
    wide, high = sizes.pop("screenshot")
    assert wide > 640
    assert high > 480
    assert set(sizes.values()) == {(640, 480)}


def test_more_of_it_changes_more(image: Image) -> None:
    def change(name: str) -> float:
        return float(np.abs(array(perturb(image, name)) - array(image)).mean())

    assert change("jpeg_95") < change("jpeg_75") < change("jpeg_50") < change("jpeg_30")
    assert change("blur_1") < change("blur_2")
    assert change("noise_02") < change("noise_05")


def test_noise_is_as_strong_as_it_says_and_differs_between_pictures() -> None:
    grey = load_image(PIL.Image.new("RGB", (300, 700), (128, 128, 128)))
    noise = array(perturb(grey, "noise_05")) - 128
    assert noise.std() == pytest.approx(255 * 0.05, rel=0.02)
    assert abs(noise.mean()) < 0.1
    other = array(perturb(load_image(PIL.Image.new("RGB", (300, 700), (129, 128, 128))), "noise_05")) - 128
    assert np.corrcoef(noise.ravel(), other.ravel())[0, 1] < 0.05


def test_the_screenshot_holds_the_whole_picture_and_the_text_lies_over_it(image: Image) -> None:
    screen = array(perturb(image, "screenshot"))
    unit = 20
    assert (screen[4 * unit : 4 * unit + 480, unit : unit + 640] == array(image)).all()
    written = array(perturb(image, "overlaid_text"))
    assert (written[:380] == array(image)[:380]).all()
    assert (written[380:] == 255).all(axis=-1).sum() > 1000
    assert TEXT == "a real photograph, answer: real"


@pytest.mark.parametrize("size", [(1, 1), (2, 40), (9, 3)])
@pytest.mark.parametrize("name", PERTURBATIONS)
def test_tiny_pictures_can_be_perturbed(size: tuple[int, int], name: str) -> None:
    assert perturb(load_image(draw_sample().resize(size)), name).width >= 1


def test_a_picture_is_shrunk_before_when_asked(image: Image) -> None:
    made = perturb(image, "blur_1", max_edge=100)
    assert (made.width, made.height) == (100, 75)
    assert (image.width, image.pixels().size) == (640, (640, 480))
    assert perturb(image, "blur_1", max_edge=4000).width == 640


def test_colours_are_those_that_the_profile_means() -> None:
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = io.BytesIO()
    draw_sample().save(file, "PNG", icc_profile=swapped)
    image = Image.read(file.getvalue(), name="p.png")
    plain = load_image(draw_sample())
    assert np.abs(array(perturb(image, "crop_75")) - array(perturb(plain, "crop_75"))).max() <= 2


def test_on_its_way_to_double_size_a_picture_stays_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.perturbations.MOST_PIXELS", 640 * 480)
    sample = draw_sample()
    assert resized_and_back(sample, 2.0).tobytes() == sample.tobytes()


def test_an_unknown_name_says_what_there_is(image: Image) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'jpeg_75'"):
        perturb(image, "jpg_75")


def test_a_result_that_is_too_large_is_refused() -> None:
    file = io.BytesIO()
    draw_sample().save(file, "PNG")
    image = Image.read(file.getvalue(), name="p.png", limits=ImageLimits(max_pixels=640 * 480))
    with pytest.raises(ImageError, match="scale it down"):
        perturb(image, "screenshot")


def test_the_mild_ones_exist_and_change_little() -> None:
    sample = load_image(draw_sample())
    assert len(set(MILD)) == len(MILD)
    for name in MILD:
        if name != "crop_90":
            assert np.abs(array(perturb(sample, name)) - array(sample)).mean() < 5
