from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backends.errors import ConfigError
from evals.data.copies import overlap
from evals.data.disjoint import refuse_exemplars, refuse_overlap
from evals.data.item import Item


def item(path: Path) -> Item:
    return Item(path.name, path, size=path.stat().st_size)


def test_the_same_file_and_a_reencoded_copy_are_told(draw: Any) -> None:
    ones = [item(draw("a.png", seed=1)), item(draw("b.png", seed=2)), item(draw("c.png", seed=3))]
    others = [item(draw("x.png", seed=1)), item(draw("y.jpg", seed=2, size=(96, 64), quality=70))]
    found = [(pair.one.case, pair.other.case, pair.exact) for pair in overlap(ones, others)]
    assert found == [("a.png", "x.png", True), ("b.png", "y.jpg", False)]
    assert [pair.exact for pair in overlap(ones, others, near=False)] == [True]
    assert overlap(ones[2:], others) == ()


def test_common_pictures_are_refused_with_their_names(draw: Any) -> None:
    ones = [item(draw("a.png", seed=1)), item(draw("b.png", seed=2))]
    with pytest.raises(
        ConfigError, match=r"2 cases are among the exemplars: a.png \(the same file\), b.png \(a copy\)\. Exclude them"
    ):
        refuse_overlap(ones, [item(draw("x.png", seed=1)), item(draw("y.jpg", seed=2))], "exemplars")
    refuse_overlap(ones, [item(draw("z.png", seed=5))], "exemplars")


def test_what_cannot_be_read_is_like_nothing(draw: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    gone = Item("gone.png", tmp_path / "gone.png", size=10)
    assert overlap([item(broken), gone], [gone, item(draw("a.png"))]) == ()


def test_exemplars_are_kept_out_of_the_test(draw: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw("shown/generated/a.png", seed=1)
    draw("shown/real/b.png", seed=2)
    copy, other = item(draw("test/copy.jpg", seed=2)), item(draw("test/other.png", seed=3))
    refuse_exemplars([other], tmp_path / "shown")
    with pytest.raises(ConfigError, match=r"1 cases are among the exemplars: copy\.jpg \(a copy\)"):
        refuse_exemplars([copy, other], tmp_path / "shown")
    monkeypatch.setattr("evals.data.disjoint.MOST_DECODED", 1)
    refuse_exemplars([copy, other], tmp_path / "shown")
    with pytest.raises(ConfigError, match=r"same\.png \(the same file\)"):
        refuse_exemplars([other, item(draw("test/same.png", seed=1))], tmp_path / "shown")
