from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backends.errors import ConfigError, InputError
from evals.data.dataset import DataSet
from evals.data.spec import Layout
from paradigms.label import Label

from .conftest import drawing

datasets = pytest.importorskip("datasets")
Load = Callable[..., DataSet]
G, R = Label.GENERATED, Label.REAL


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIXLENS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True, raising=False)
    datasets.disable_progress_bars()


def png(seed: int) -> bytes:
    file = io.BytesIO()
    drawing(seed).save(file, "PNG")
    return file.getvalue()


def saved(folder: Path, pictures: list[Any], **columns: list[Any]) -> Any:
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["real", "fake"])}
    features |= {name: datasets.Value("string") for name in columns if name not in features}
    data = datasets.Dataset.from_dict({"image": pictures, **columns}, datasets.Features(features))
    data.save_to_disk(str(folder))
    return data


def test_a_folder_that_was_saved_to_disk(load: Load, tmp_path: Path) -> None:
    pictures = [{"bytes": png(seed), "path": None} for seed in (1, 2, 3)]
    saved(tmp_path / "set", pictures, label=[0, 1, None], generator=["", "flux", "flux"], source=["a", "b", "b"])
    data = load(hf="set")
    assert data.layout is Layout.HF
    said = {item.case: (item.truth, item.generator, item.source) for item in data.items}
    assert said == {"0000000": (R, None, "a"), "0000001": (G, "flux", "b"), "0000002": (None, "flux", "b")}
    first = next(item for item in data.items if item.case == "0000000")
    assert first.path.is_relative_to(tmp_path / "cache")
    assert first.path.read_bytes() == png(1)
    assert first.load().format == "PNG"
    before = first.path.stat().st_mtime_ns
    assert load(hf="set").identity == data.identity
    assert first.path.stat().st_mtime_ns == before


def test_splits_are_named(load: Load, tmp_path: Path) -> None:
    one = saved(tmp_path / "x", [{"bytes": png(1), "path": None}], label=[0])
    two = saved(tmp_path / "y", [{"bytes": png(2), "path": None}], label=[1])
    datasets.DatasetDict({"train": one, "test": two}).save_to_disk(str(tmp_path / "both"))
    with pytest.raises(ConfigError, match=r"name one of its splits as `data.split`: train, test"):
        load(hf="both")
    assert [item.truth for item in load(hf="both", split="test").items] == [G]


def test_a_row_that_names_a_file_elsewhere_is_refused(
    load: Load, draw: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.png"
    drawing(9).save(secret)
    rows = [{"bytes": None, "path": str(secret)}, {"bytes": png(1), "path": None}]
    struct = {"bytes": datasets.Value("binary"), "path": datasets.Value("string")}
    features = datasets.Features({"image": struct, "label": datasets.Value("string")})
    data = datasets.Dataset.from_dict({"image": rows, "label": ["real", "fake"]}, features)
    data.save_to_disk(str(tmp_path / "set"))
    data = load(hf="set", columns={"file": "image"})
    assert [item.case for item in data.items] == ["0000001"]
    assert "1 rows hold no picture that may be read: 0000000." in data.warnings


def test_a_local_imagefolder(load: Load, draw: Any, tmp_path: Path) -> None:
    draw("set/real/a.png")
    draw("set/fake/b.png")
    data = load(hf="set")
    assert sorted((item.truth, item.case) for item in data.items) == [(G, "fake/b.png"), (R, "real/a.png")]
    assert data.layout is Layout.REAL_FAKE


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "../x", "a\0b", "a/b/c"])
def test_a_path_that_is_not_there_is_not_looked_up_on_the_web(
    load: Load, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(datasets, "load_dataset", lambda name: pytest.fail("looked up"))
    with pytest.raises(InputError, match="there is no such folder, and it is no name"):
        load(hf=name)


def test_a_name_on_the_web_is_looked_up_there(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = saved(tmp_path / "set", [{"bytes": png(1), "path": None}], label=[1])
    asked: list[str] = []
    monkeypatch.setattr(datasets, "load_dataset", lambda name: asked.append(name) or {"test": there})
    data = load(hf="some/name")
    assert (asked, [item.truth for item in data.items]) == (["some/name"], [G])
    assert "looked up on the Hugging Face Hub" in data.notes[0]


def test_no_column_of_pictures_and_no_data_set_are_said(load: Load, tmp_path: Path) -> None:
    datasets.Dataset.from_dict({"text": ["a"]}).save_to_disk(str(tmp_path / "set"))
    with pytest.raises(ConfigError, match=r"no column holds pictures"):
        load(hf="set")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "state.json").write_text("{}")
    with pytest.raises(InputError, match="bad: the package datasets cannot load it"):
        load(hf="bad")
