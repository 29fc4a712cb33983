from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from PIL.PngImagePlugin import PngInfo
from sklearn.metrics import roc_auc_score

from evals.data.header import read_header
from evals.data.item import Item
from evals.data.leaks import by_chance, find_leaks, ranked
from evals.data.spec import Reencode
from paradigms.label import Label

G, R = Label.GENERATED, Label.REAL


def items(draw: Any, number: int, **by_label: Any) -> list[Item]:
    """So many of each label; `generated` and `real` give the ending and how it is drawn."""
    made = []
    for label in (G, R):
        ending, options = by_label[label.value]
        for n in range(number):
            given = {key: value(n) if callable(value) else value for key, value in options.items()}
            path = draw(f"{label.value}/{n}.{ending}", **given)
            made.append(Item(f"{label.value}/{n}", path, label, size=path.stat().st_size))
    return made


def test_the_kind_of_file_gives_the_label_away(draw: Any) -> None:
    data = items(draw, 12, generated=("png", {}), real=("jpg", {"quality": 80}))
    leaks = {leak.feature: leak for leak in find_leaks(data)}
    assert leaks["is PNG"].auc == leaks["is JPEG"].auc == 1.0
    assert leaks["is PNG"].words == (
        "Generated pictures more often are PNG files: 'is PNG' alone tells the labels apart with an AUC of 1.00."
    )
    assert leaks["is JPEG"].words.startswith("Real photographs more often are JPEG files")
    assert not any(leak.reencoded for leak in leaks.values())


def test_reencoding_removes_the_kind_of_file_but_not_its_shape(draw: Any) -> None:
    square = {"size": lambda n: (64, 64)}
    wide = {"size": lambda n: (60 + n, 40), "quality": 80}
    data = items(draw, 12, generated=("png", square), real=("jpg", wide))
    left = {leak.feature for leak in find_leaks(data, Reencode(max_edge=32)) if leak.reencoded}
    assert {"is square", "aspect"} <= left
    assert left <= {"is square", "aspect", "height", "pixels", "width", "multiple of 64"}
    assert "width" not in left
    assert any("even after re-encoding" in leak.words for leak in find_leaks(data, Reencode(max_edge=32)))


def test_files_of_one_kind_leak_nothing(draw: Any) -> None:
    how = ("jpg", {"quality": 85, "size": lambda n: (40 + 3 * n, 30 + n)})
    assert find_leaks(items(draw, 15, generated=how, real=how)) == ()


def test_too_few_cases_and_missing_labels_say_nothing(draw: Any, tmp_path: Path) -> None:
    data = items(draw, 4, generated=("png", {}), real=("jpg", {}))
    assert find_leaks(data) == ()
    assert find_leaks([Item(item.case, item.path) for item in data]) == ()
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    assert find_leaks([Item("x", broken, G), Item("y", tmp_path / "gone.png", R)] * 9) == ()


@pytest.mark.parametrize("odd", [1, 3])
def test_a_property_known_of_a_handful_hides_no_other(draw: Any, odd: int) -> None:
    def picture(label: str, n: int) -> Path:
        size = (64, 64) if label == "generated" else (64, 48)
        if n < odd:
            return draw(f"{label}/{n}.jpg", size=size, quality=60 + n + 5 * (label == "generated"))
        return draw(f"{label}/{n}.png", size=size)

    data = [Item(f"{it.value}/{n}", picture(it.value, n), it) for it in (G, R) for n in range(20)]
    leaks = {leak.feature: leak for leak in find_leaks(data)}
    assert leaks["height"].auc == leaks["is square"].auc == 1.0
    assert "JPEG quality" not in leaks


@pytest.mark.parametrize(("few", "told"), [(4, False), (5, True)])
def test_a_property_known_of_less_than_five_of_a_label_is_not_reported(draw: Any, few: int, told: bool) -> None:
    real = [draw(f"real/{n}.jpg", quality=60 + n % 5) for n in range(20)]
    made = [draw(f"fake/{n}.jpg", quality=95) if n < few else draw(f"fake/{n}.png") for n in range(20)]
    data = [Item(str(path), path, label) for label, paths in ((R, real), (G, made)) for path in paths]
    assert ("JPEG quality" in {leak.feature for leak in find_leaks(data)}) is told


def test_a_property_that_few_files_have_says_how_many(draw: Any) -> None:
    def picture(label: str, n: int) -> Path:
        quality = 90 if label == "generated" else 60
        return draw(f"{label}/{n}.jpg", quality=quality + n % 5) if n < 12 else draw(f"{label}/{n}.png")

    data = [Item(f"{it.value}/{n}", picture(it.value, n), it) for it in (G, R) for n in range(20)]
    leaks = {leak.feature: leak.words for leak in find_leaks(data)}
    assert leaks["JPEG quality"].endswith("with an AUC of 1.00, among the 24 of 40 files that have one.")


def test_chance_seldom_looks_like_a_leak() -> None:
    random = np.random.default_rng(3)
    alarms = 0
    for seed in range(60):
        values, labels = random.random((40, 12)), random.random(40) < 0.5
        values[12:, :3] = np.nan  # known of a dozen
        values[:, 3:6] = values[:, 3:6] < 0.1  # yes for a few
        aucs, spreads = ranked(values, labels[:, None])
        off = np.divide(np.abs(aucs - 0.5), spreads, out=np.zeros_like(aucs), where=spreads > 0)
        alarms += off.max() > by_chance(values, labels, seed)
    assert alarms <= 9  # 3 are expected; 10 or more would come once in a thousand times


def test_the_auc_is_that_of_scikit_learn_with_ties_and_gaps() -> None:
    random = np.random.default_rng(0)
    values = random.integers(0, 9, (200, 4)).astype(float)
    values[:50, 3] = np.nan
    labels = random.random((200, 3)) < 0.3
    aucs, _ = ranked(values, labels)
    for column in range(4):
        known = ~np.isnan(values[:, column])
        for labelling in range(3):
            expected = roc_auc_score(labels[known, labelling], values[known, column])
            assert aucs[column, labelling] == pytest.approx(expected)
    assert (ranked(values, np.ones((200, 1), bool))[0] == 0.5).all()


def test_the_deviation_is_what_shuffled_labels_show() -> None:
    random = np.random.default_rng(1)
    values = np.column_stack([random.random(60), random.integers(0, 3, 60), random.random(60) < 0.1])
    labels = np.arange(60) < 25
    shuffled = np.array([random.permutation(labels) for _ in range(4000)]).T
    aucs, spreads = ranked(values, shuffled)
    assert aucs.std(axis=1) == pytest.approx(spreads[:, 0], rel=0.05)


@pytest.mark.parametrize("quality", [10, 30, 50, 75, 90, 95])
def test_the_quality_of_a_jpeg_is_estimated(draw: Any, quality: int) -> None:
    header = read_header(draw("a.jpg", quality=quality))
    assert header is not None
    assert header.jpeg_quality == pytest.approx(quality, abs=6 if quality < 30 else 1)


def test_a_header_says_what_is_in_the_file(draw: Any) -> None:
    info = PngInfo()
    info.add_text("parameters", "x" * 200_000)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    png = read_header(draw("a.png", pnginfo=info))
    jpeg = read_header(draw("b.jpg", exif=exif, icc_profile=b"\0" * 60_000 * 3, comment=b"by hand", size=(48, 32)))
    webp = read_header(draw("c.webp", xmp=b"<x:xmpmeta/>", exif=exif))
    assert png is not None
    assert (png.format, png.text, png.exif, png.jpeg_quality) == ("PNG", True, False, None)
    assert jpeg is not None
    assert (jpeg.width, jpeg.height, jpeg.exif, jpeg.profile, jpeg.text) == (32, 48, True, True, True)
    assert webp is not None
    assert (webp.format, webp.xmp, webp.exif, webp.text) == ("WEBP", True, True, False)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, b"text"])
def test_what_has_no_header_has_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.png").write_bytes(content)
    assert read_header(tmp_path / "x.png") is None
