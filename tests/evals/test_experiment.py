from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backends.errors import ConfigError, UnknownNameError
from evals.experiment import Experiment, asked_of, load_experiment
from evals.shipped import experiment_names

TEXT = "name: mine\ndata: {path: pictures}\n"


def write(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(text, "utf-8")
    return str(path)


def test_paths_count_from_the_folder_of_the_file(tmp_path: Path) -> None:
    experiment, base = load_experiment(write(tmp_path, TEXT))
    assert (experiment.data.path, base) == ("pictures", tmp_path)


def test_changes_lie_above_the_file_key_by_key(tmp_path: Path) -> None:
    experiment, _ = load_experiment(write(tmp_path, TEXT), {"data": {"limit": 5}, "repeats": 2})
    assert (experiment.data.path, experiment.data.limit, experiment.repeats) == ("pictures", 5, 2)


def test_a_schema_line_is_allowed(tmp_path: Path) -> None:
    assert load_experiment(write(tmp_path, f"$schema: x.json\n{TEXT}"))[0].name == "mine"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("repeat: 2", "Did you mean 'repeats'"),
        ("perturbations: [jpeg75]", "Did you mean 'jpeg_75'"),
        ("perturbations: [none, none]", "named twice"),
        ("arms: [{name: a}, {name: a}]", "same name"),
        ("base: {set: {provenance: decide}}", "at the top of the experiment"),
        ("base: {set: {paradigms: [direct]}}", "beside `set` where it is a list"),
        ("arms: [{name: a, set: {backend: x}}]", "backend has its place beside `set`"),
        ("engine: dask", "engine"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_experiment(write(tmp_path, f"{TEXT}{more}\n"))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_experiment_is_a_mapping_of_a_known_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="mapping"):
        load_experiment(write(tmp_path, "- 1\n"))
    with pytest.raises(UnknownNameError, match="paper"):
        load_experiment("papr")


@pytest.mark.parametrize("name", experiment_names())
def test_what_ships_leaves_provenance_out(name: str) -> None:
    experiment, base = load_experiment(name)
    assert experiment.name == name
    assert experiment.description
    assert experiment.provenance == "ignore"
    assert base == Path()


def made(**settings: Any) -> Experiment:
    return Experiment.model_validate({"name": "x", "data": {"path": "p"}} | settings)


def test_one_backend_stands_for_all_that_are_named() -> None:
    named = made(base={"backend": "a:1"}, arms=[{"name": "one", "backend": "b:1"}], grid={"backend": ["c:1", "d:1"]})
    asked = asked_of(named, ["e:1"])
    assert asked.base.backend == "e:1"
    assert asked.arms[0].backend is None
    assert asked.grid is not None
    assert asked.grid.backend == ()
    assert asked_of(named, []) is named


def test_several_backends_are_a_grid() -> None:
    asked = asked_of(made(), ["e:1", "f:1"])
    assert asked.grid is not None
    assert asked.grid.backend == ("e:1", "f:1")
    with pytest.raises(ConfigError, match="twice"):
        asked_of(made(), ["e:1", "e:1"])
