from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from backends.errors import ConfigError
from evals.data.dataset import DataSet
from evals.data.item import Item
from evals.data.sample import sample
from evals.data.spec import DataSpec
from paradigms.label import Label

Load = Callable[..., DataSet]
G, R = Label.GENERATED, Label.REAL


def cases(data: DataSet) -> set[str]:
    return {item.case for item in data.items}


def made(number: int, *, generated: int | None = None) -> list[Item]:
    """So many items, the first `generated` of them generated, by three generators in turns."""
    split = number // 2 if generated is None else generated
    return [
        Item(f"{n:06d}", Path(f"{n}"), G if n < split else R, f"g{n % 3}" if n < split else None, f"s{n % 2}", n)
        for n in range(number)
    ]


def test_of_copies_the_first_by_name_stays(draw: Any, load: Load) -> None:
    draw("real/b.png", seed=1)
    draw("real/a.png", seed=1)
    draw("fake/c.png", seed=2)
    data = load()
    assert cases(data) == {"real/a.png", "fake/c.png"}
    assert any("real/a.png=real/b.png" in note for note in data.notes)
    assert cases(load(duplicates="keep")) == {"real/a.png", "real/b.png", "fake/c.png"}
    with pytest.raises(ConfigError, match=r"1 pictures are there more than once: real/a.png=real/b.png"):
        load(duplicates="refuse")


def test_a_picture_under_both_labels_is_used_under_neither(draw: Any, load: Load) -> None:
    draw("real/a.png", seed=1)
    draw("fake/a.png", seed=1)
    draw("real/b.png")
    draw("fake/c.png")
    data = load()
    assert cases(data) == {"real/b.png", "fake/c.png"}
    assert "1 pictures stand under both labels, and none of them is used: fake/a.png and real/a.png." in data.warnings
    kept = load(duplicates="keep")
    assert len(kept.items) == 4
    assert "labelled wrongly" in kept.warnings[0]


def test_files_of_equal_size_and_other_content_are_no_copies(load: Load, tmp_path: Path) -> None:
    for label in ("real", "fake"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "x.jpg").write_bytes(label.encode())
    assert len(load().items) == 2


def test_near_copies_are_warned_of_when_asked(draw: Any, load: Load) -> None:
    draw("real/a.png", seed=1)
    draw("real/b.jpg", seed=1, quality=60)
    draw("fake/c.webp", seed=1, size=(96, 64))
    draw("fake/d.png", seed=2)
    assert load().warnings == ()
    data = load(near_duplicates=True)
    assert len(data.items) == 4
    assert "2 pairs look like copies, under different labels" in data.warnings[0]
    assert "3 pairs of pictures look like copies of each other" in data.warnings[1]


def test_exclusion_by_name_pattern_and_digest(draw: Any, load: Load, tmp_path: Path) -> None:
    for number in range(4):
        draw(f"real/a{number}.png")
        draw(f"fake/b{number}.png")
    digest = next(item.sha256 for item in load().items if item.case == "fake/b3.png")
    (tmp_path / "out.txt").write_text(f"# known\nreal/a2.png\n\n{digest.upper()}\n")
    data = load(exclude=["real/a0.png", "fake/b[01].*"], exclude_from="out.txt")
    assert cases(data) == {"real/a1.png", "real/a3.png", "fake/b2.png"}
    assert "5 cases were excluded." in data.notes
    assert "leaves no case out" in load(exclude="nothing.png").warnings[0]
    with pytest.raises(ConfigError, match="No case of the data set is left"):
        load(exclude="*")
    with pytest.raises(ConfigError, match="list of exclusions cannot be read"):
        load(exclude_from="gone.txt")


def test_one_label_alone_and_missing_labels_are_warned_of(draw: Any, load: Load, tmp_path: Path) -> None:
    draw("real/a.png")
    draw("real/b.png")
    assert "No case is labelled generated" in load().warnings[0]
    (tmp_path / "list.csv").write_text("path,label\nreal/a.png,real\nreal/b.png,\n")
    assert "1 cases have no label and count for no metric: real/b.png." in load(path="list.csv").warnings


def test_two_cases_of_one_name_are_refused_and_a_repeated_row_is_one(draw: Any, load: Load, tmp_path: Path) -> None:
    draw("a.png")
    draw("b.png")
    (tmp_path / "list.csv").write_text("path,label,case\na.png,real,x\nb.png,fake,x\n")
    with pytest.raises(ConfigError, match="Two cases are named 'x'"):
        load(path="list.csv")
    (tmp_path / "list.csv").write_text("path,label\na.png,real\na.png,real\nb.png,fake\n")
    data = load(path="list.csv")
    assert (len(data.items), data.notes) == (2, ("1 rows name a picture again and were passed over.",))
    (tmp_path / "list.csv").write_text("path,label\na.png,real\na.png,fake\n")
    with pytest.raises(ConfigError, match=r"Two cases are named 'a\.png'"):
        load(path="list.csv")


def test_a_sample_does_not_depend_on_the_order_of_the_files() -> None:
    spec = DataSpec(limit=20, balanced=True, stratify_by=("generator",), seed=4)
    items = made(300)
    assert sample(items, spec) == sample(items[::-1], spec)
    assert sample(items, spec) != sample(items, spec.model_copy(update={"seed": 5}))
    assert sample(items, DataSpec()) != items
    assert sorted(sample(items, DataSpec()), key=lambda item: item.case) == items


def test_a_sample_keeps_most_of_itself_when_the_data_grow() -> None:
    spec = DataSpec(limit=100)
    before, after = ({item.case for item in sample(made(number), spec)} for number in (1000, 1100))
    assert len(before & after) >= 80


@pytest.mark.parametrize(("limit", "each"), [(None, 30), (21, 10), (100, 30), (2, 1)])
def test_balanced(limit: int | None, each: int) -> None:
    chosen = sample(made(300, generated=30), DataSpec(limit=limit, balanced=True))
    assert Counter(item.truth for item in chosen) == {G: each, R: each}


def test_stratified_samples_keep_the_shares() -> None:
    chosen = sample(made(300, generated=90), DataSpec(limit=100, stratify_by=("label", "generator")))
    assert Counter(item.truth for item in chosen) == {G: 30, R: 70}
    assert Counter(item.generator for item in chosen if item.truth is G) == {"g0": 10, "g1": 10, "g2": 10}
    odd = sample(made(300, generated=90), DataSpec(limit=11, stratify_by=("label",)))
    assert Counter(item.truth for item in odd) == {G: 3, R: 8}


def test_a_balanced_sample_needs_both_labels() -> None:
    with pytest.raises(ConfigError, match="one of the labels is missing"):
        sample(made(5, generated=0), DataSpec(balanced=True))
    with pytest.raises(ConfigError, match="a limit of at least 2"):
        sample(made(5), DataSpec(balanced=True, limit=1))


def test_the_identity_is_that_of_cases_labels_and_files(draw: Any, load: Load, tmp_path: Path) -> None:
    draw("real/a.png")
    draw("fake/b.png")
    first = load().identity
    assert load(seed=9).identity == first
    shutil.move(tmp_path / "real" / "a.png", tmp_path / "fake" / "a.png")
    assert load().identity != first


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "a", "hf": "b"},
        {"layout": "hf"},
        {"generated": ["x"], "real": ["X"]},
        {"limit": 0},
        {"reencode": {"quality": 0}},
        {"stratify_by": ["size"]},
        {"unknown": 1},
    ],
)
def test_a_wrong_section_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DataSpec.model_validate(wrong)


def test_many_files_are_listed_without_reading_them(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for label in ("real", "fake"):
        (tmp_path / label).mkdir()
        for number in range(300):
            (tmp_path / label / f"{number}.jpg").touch()
            os.truncate(tmp_path / label / f"{number}.jpg", 2 * number + (label == "fake"))
    read: list[str] = []
    monkeypatch.setattr("hashlib.file_digest", lambda file, kind: read.append(file.name))
    assert len(load().items) == 600
    assert read == []
