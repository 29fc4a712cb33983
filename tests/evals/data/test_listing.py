from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backends.errors import ConfigError, InputError, MissingExtraError
from evals.data.dataset import DataSet
from evals.data.spec import Layout
from paradigms.label import Label

Load = Callable[..., DataSet]
G, R = Label.GENERATED, Label.REAL


def said(data: DataSet) -> dict[str, tuple[Any, ...]]:
    """Label, generator and source of every case."""
    return {item.case: (item.truth, item.generator, item.source) for item in data.items}


@pytest.mark.parametrize("names", [("real", "fake"), ("0_real", "1_fake"), ("REAL", "Generated"), ("photos", "ai")])
@pytest.mark.parametrize("above", ["", "test/"])
def test_folders_named_for_labels(draw: Any, load: Load, names: tuple[str, str], above: str) -> None:
    draw(f"{above}{names[0]}/a.png")
    draw(f"{above}{names[1]}/b.png")
    data = load()
    assert data.layout is Layout.REAL_FAKE
    assert said(data) == {f"{above}{names[0]}/a.png": (R, None, None), f"{above}{names[1]}/b.png": (G, None, None)}
    assert "The positive class is generated: 1 generated, 1 real." in data.words


def test_generators_are_read_above_or_below_the_folder_of_the_label(draw: Any, load: Load) -> None:
    draw("progan/cat/0_real/a.png")
    draw("progan/cat/1_fake/b.png")
    draw("stylegan/1_fake/c.png")
    draw("fake/midjourney/d.png")
    data = load()
    made = {item.case: item.generator for item in data.items if item.truth is G}
    assert made == {
        "progan/cat/1_fake/b.png": "progan",
        "stylegan/1_fake/c.png": "stylegan",
        "fake/midjourney/d.png": "midjourney",
    }
    assert any("Generators were read" in note for note in data.notes)


def test_genimage(draw: Any, load: Load) -> None:
    for generator in ("Midjourney", "BigGAN"):
        for split in ("train", "val"):
            draw(f"{generator}/inner/{split}/ai/1.png")
            draw(f"{generator}/inner/{split}/nature/1.png")
    data = load(split="val")
    assert data.layout is Layout.GENIMAGE
    assert said(data) == {
        "Midjourney/inner/val/ai/1.png": (G, "Midjourney", None),
        "Midjourney/inner/val/nature/1.png": (R, None, None),
        "BigGAN/inner/val/ai/1.png": (G, "BigGAN", None),
        "BigGAN/inner/val/nature/1.png": (R, None, None),
    }
    assert said(load(path="BigGAN/inner", split="val"))["val/ai/1.png"] == (G, "BigGAN", None)
    assert said(load(path="BigGAN/inner/val"))["ai/1.png"] == (G, None, None)


def test_a_folder_above_the_data_is_no_generator_unless_it_is_called_like_one(draw: Any, load: Load) -> None:
    for above in ("anna", "stable_diffusion_v_1_4"):
        draw(f"{above}/val/ai/1.png")
        draw(f"{above}/val/nature/1.png")
    assert said(load(path="anna/val"))["ai/1.png"] == (G, None, None)
    assert said(load(path="stable_diffusion_v_1_4/val"))["ai/1.png"] == (G, "stable_diffusion_v_1_4", None)


def test_an_unlabelled_folder(draw: Any, load: Load) -> None:
    draw("a.png")
    draw("sub/b.jpg")
    data = load()
    assert (data.layout, data.labelled, len(data.items)) == (Layout.UNLABELLED, False, 2)
    assert "2 cases without a label" in data.words
    assert said(load(layout="unlabelled"))["sub/b.jpg"] == (None, None, None)


def test_of_two_folders_named_for_labels_the_inner_one_counts(draw: Any, load: Load) -> None:
    draw("real/x/fake/a.png")
    draw("fake/y/real/b.png")
    assert said(load()) == {"real/x/fake/a.png": (G, "x", None), "fake/y/real/b.png": (R, None, None)}


def test_labels_of_ones_own(draw: Any, load: Load) -> None:
    draw("camera-x/a.png")
    draw("dalle/b.png")
    data = load(generated="dalle", real=["camera-x"])
    assert {item.case: item.truth for item in data.items} == {"camera-x/a.png": R, "dalle/b.png": G}


def test_strays_links_and_other_files_are_told_and_cost_nobody(
    draw: Any, load: Load, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    draw("real/a.png").rename(outside / "secret.png")
    draw("real/b.png")
    draw("fake/c.png")
    draw("stray.png")
    (tmp_path / "real" / "notes.txt").write_text("x")
    (tmp_path / "real" / ".hidden.png").write_bytes(b"x")
    (tmp_path / "real" / "link.png").symlink_to(outside / "secret.png")
    (tmp_path / "real" / "folder").symlink_to(outside)
    (tmp_path / "fake" / "again.png").symlink_to(tmp_path / "fake" / "c.png")
    (tmp_path / "fake" / "circle.png").symlink_to(tmp_path / "fake" / "circle.png")
    os.mkfifo(tmp_path / "fake" / "pipe.png")
    (tmp_path / "fake" / "broken.jpg").write_bytes(b"no picture")
    data = load(duplicates="keep")
    assert sorted(item.case for item in data.items) == ["fake/again.png", "fake/broken.jpg", "fake/c.png", "real/b.png"]
    told = " ".join((*data.notes, *data.warnings))
    assert "real/link.png" in told
    assert "real/folder" in told
    assert "fake/pipe.png" in told
    assert "1 pictures lie in no folder named for a label: stray.png." in told
    assert "1 files are no pictures by their names" in told


def test_names_that_are_no_text_can_be_written_down(draw: Any, load: Load, tmp_path: Path) -> None:
    draw("real/a.png").rename(tmp_path / "real" / os.fsdecode(b"\xff\x1b[31m.png"))
    draw("fake/b.png")
    cases = sorted(item.case for item in load().items)
    assert cases == ["fake/b.png", "real/\\udcff\\x1b[31m.png"]
    assert json.dumps(cases).encode()


def test_metadata_beside_the_pictures(draw: Any, load: Load, tmp_path: Path) -> None:
    draw("generated/a.png")
    draw("real/b.png")
    (tmp_path / "metadata.csv").write_text(
        "file_name,label,generator,source\ngenerated/a.png,generated,flux,x\nreal/b.png,real,none,y\n"
    )
    data = load()
    assert data.layout is Layout.IMAGEFOLDER
    assert said(data) == {"generated/a.png": (G, "flux", "x"), "real/b.png": (R, None, "y")}
    assert said(load(path="metadata.csv")) == said(data)
    assert load(layout="real_fake").layout is Layout.REAL_FAKE


def test_metadata_in_every_part(draw: Any, load: Load, tmp_path: Path) -> None:
    for split, label in (("train", "1"), ("test", "0")):
        draw(f"{split}/a.png")
        (tmp_path / split / "metadata.jsonl").write_text(json.dumps({"file_name": "a.png", "label": int(label)}) + "\n")
    data = load(generated="1")
    assert {item.case: item.truth for item in data.items} == {"train/a.png": G, "test/a.png": R}


@pytest.mark.parametrize("above", ["", "data/", "data/inner/"])
def test_a_part_is_read_from_tables_in_every_part(draw: Any, load: Load, tmp_path: Path, above: str) -> None:
    for split in ("train", "test"):
        draw(f"{above}{split}/a.png")
        draw(f"{above}{split}/b.png")
        (tmp_path / above / split / "metadata.csv").write_text("file_name,label\na.png,real\nb.png,fake\n")
    assert said(load(split="test")) == {f"{above}test/a.png": (R, None, None), f"{above}test/b.png": (G, None, None)}
    assert len(said(load())) == 4
    assert load().layout is Layout.IMAGEFOLDER
    with pytest.raises(InputError, match=r"no pictures in the part 'val'; check `data.split`"):
        load(split="val")


def test_a_table_in_one_part_alone_names_its_cases_by_the_whole_path(draw: Any, load: Load, tmp_path: Path) -> None:
    draw("train/a.png")
    (tmp_path / "train" / "metadata.csv").write_text("file_name,label\na.png,real\n")
    assert list(said(load(split="train"))) == ["train/a.png"]


def test_tables_in_folders_named_for_labels_take_those(draw: Any, load: Load, tmp_path: Path) -> None:
    for name in ("real", "fake"):
        draw(f"{name}/a.png")
        (tmp_path / name / "metadata.csv").write_text("file_name,caption\na.png,x\n")
    data = load()
    assert said(data) == {"real/a.png": (R, None, None), "fake/a.png": (G, None, None)}
    assert data.notes == tuple(
        f"{name}/metadata.csv has no column of labels; the names of folders were read for them."
        for name in ("fake", "real")
    )


def test_pictures_that_no_row_names_are_told(draw: Any, load: Load, tmp_path: Path) -> None:
    for name in ("real/a.png", "fake/b.png", "fake/c.png", "test/d.png"):
        draw(name)
    (tmp_path / "metadata.csv").write_text(f"file_name,label\n./real/a.png,real\n{tmp_path}/fake/b.png,fake\n")
    data = load()
    assert sorted(said(data)) == ["fake/b.png", "real/a.png"]
    assert data.warnings == (
        "2 pictures of the folder stand in no row of its tables and were left out: fake/c.png, test/d.png.",
    )
    (tmp_path / "metadata.csv").rename(tmp_path / "list.csv")
    assert load(path="list.csv").warnings == ()  # a table that is named may be of a part on purpose


def test_what_is_called_like_a_table_but_is_none_can_be_left_out(draw: Any, load: Load, tmp_path: Path) -> None:
    draw("real/a.png")
    draw("fake/b.png")
    (tmp_path / "fake" / "manifest.json").write_text("{}")
    assert load().layout is Layout.REAL_FAKE
    (tmp_path / "fake" / "metadata.csv").write_text("caption\nx\n")
    with pytest.raises(ConfigError, match=r"or leave the table out with `data.layout`"):
        load()
    assert len(load(layout="real_fake").items) == 2


def test_a_table_without_labels_takes_those_of_the_folders(draw: Any, load: Load, tmp_path: Path) -> None:
    draw("fake/a.png")
    (tmp_path / "metadata.csv").write_text("file_name,source\nfake/a.png,web\n")
    assert said(load()) == {"fake/a.png": (G, None, "web")}
    draw("b.png")
    (tmp_path / "metadata.csv").write_text("file_name,source\nb.png,web\n")
    assert load().notes == ("metadata.csv has no column of labels; no folder is named for one.",)


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "json", "parquet"])
def test_a_manifest_of_every_kind(draw: Any, load: Load, tmp_path: Path, ending: str) -> None:
    draw("p/a.png")
    draw("p/b.png")
    rows = [{"id": "one", "pic": "p/a.png", "is": "1", "by": "flux"}, {"id": "two", "pic": "p/b.png", "is": "0"}]
    path = tmp_path / f"list.{ending}"
    if ending == "parquet":
        pytest.importorskip("pyarrow")
        table = importlib.import_module("pyarrow").Table.from_pylist([{**row, "is": int(row["is"])} for row in rows])
        importlib.import_module("pyarrow.parquet").write_table(table, path)
    elif ending.startswith("json"):
        path.write_text(json.dumps(rows) if ending == "json" else "\n".join(map(json.dumps, rows)))
    else:
        separator = "," if ending == "csv" else "\t"
        lines = [separator.join(rows[0]), *(separator.join((*row.values(), "")[:4]) for row in rows)]
        path.write_text("\n".join(lines))
    columns = {"file": "pic", "label": "is", "generator": "by", "case": "id"}
    data = load(path=path.name, columns=columns, generated=1, real=0)
    assert data.layout is Layout.MANIFEST
    assert said(data) == {"one": (G, "flux", None), "two": (R, None, None)}


def test_a_row_that_cannot_be_used_costs_only_itself(
    draw: Any, load: Load, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.png"
    draw("real/x.png").rename(secret)
    draw("a.png")
    (tmp_path / "link.png").symlink_to(secret)
    rows = [
        "a.png,real",
        f"{secret},real",
        f"../{secret.parent.name}/secret.png,fake",
        "link.png,real",
        "gone.png,fake",
        "pipe.png,real",  # reading it would wait for ever
    ]
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "list.csv").write_text("path,label\n" + "\n".join((*rows, ",real", "a\0.png,real")))
    data = load(path="list.csv")
    assert [item.case for item in data.items] == ["a.png"]
    assert "6 rows name no file inside its folder and were refused" in data.warnings[0]
    assert "1 rows name pictures that are not there: gone.png." in data.warnings[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\na.png,edited\n", r"the label 'edited' means.*generated: \['1'\]"),
        ("path,label\na.png,1\n", "the label '1' means"),
        ("path,label\n", "no rows"),
        ("nothing,label\na.png,real\n", "no column names the pictures"),
        ("path,label\na.png,real,more\n", "row 1: more fields"),
        ('path,label\n"a.png,real\n', "not valid CSV"),
    ],
)
def test_a_wrong_table_is_one_clear_line(draw: Any, load: Load, tmp_path: Path, text: str, message: str) -> None:
    draw("a.png")
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load(path="list.csv")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"path": "nowhere"}, InputError, "no such folder"),
        ({"path": "a\0b"}, InputError, "cannot be read|no such folder"),
        ({"path": "empty"}, InputError, "there are no pictures"),
        ({"layout": "genimage"}, ConfigError, "no pictures lie as in the layout genimage"),
        ({"layout": "manifest"}, ConfigError, "there is no table"),
        ({"split": "val"}, InputError, "there are no pictures"),
    ],
)
def test_what_cannot_be_found_is_said(
    draw: Any, load: Load, tmp_path: Path, settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    draw("real/a.png")
    with pytest.raises(error, match=message):
        load(**settings)


@pytest.mark.parametrize(("settings", "what"), [({"path": "list.parquet"}, "Parquet"), ({"hf": "x"}, "data.hf")])
def test_a_package_that_is_not_there_is_named(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], what: str
) -> None:
    def refuse(name: str) -> Any:
        raise ImportError(name)

    (tmp_path / "list.parquet").write_bytes(b"PAR1")
    monkeypatch.setattr("importlib.import_module", refuse)
    with pytest.raises(
        MissingExtraError, match=rf"{what} needs an extra: pip install -c constraints.txt -e '\.\[datasets\]'"
    ):
        load(**settings)
