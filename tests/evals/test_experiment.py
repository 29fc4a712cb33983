from __future__ import annotations

from pathlib import Path

import pytest

from backends.errors import ConfigError, UnknownNameError
from evals.arm import resolve_arms
from evals.experiment import load_experiment
from evals.shipped import experiment_names
from orchestrator.kit import backend_specs, load_paradigms

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
        ("base: {set: {fusion.backend: x}}", "to be nested"),
        ("engine: dask", "engine"),
        ("analysis: {seed: -1}", "analysis.seed"),
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


NAMED = """
base: {backend: "a:1", set: {fallback: ["a:2"], fusion: {backend: "a:3", quorum: 3}}}
arms:
  - {name: one, backend: "b:1", set: {paradigms: {structural: {backend: "b:2"}}, limits: {backends: {"b:3": {rpm: 9}}}}}
"""


def test_one_backend_stands_for_all_that_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, TEXT + NAMED + 'grid: {backend: ["c:1", "d:1"]}\n')
    experiment, base = load_experiment(path, backends=["scripted:e"])
    (arm,) = resolve_arms(experiment, base)
    assert "scripted:e" in (text := arm.ensemble.model_dump_json())
    assert not [spec for spec in ("a:1", "a:2", "a:3", "b:1", "b:2", "b:3", "c:1", "d:1") if f'"{spec}"' in text]
    assert arm.ensemble.fusion.quorum == 3
    assert backend_specs(arm.ensemble, load_paradigms(arm.ensemble)) == ("scripted:e",)


def test_a_backend_that_the_changes_name_is_asked_all_the_same(tmp_path: Path) -> None:
    changes = {"base": {"set": {"fusion": {"backend": "scripted:f"}}}}
    experiment, base = load_experiment(write(tmp_path, TEXT + NAMED), changes, ["scripted:e"])
    (arm,) = resolve_arms(experiment, base)
    assert backend_specs(arm.ensemble, load_paradigms(arm.ensemble)) == ("scripted:e", "scripted:f")


def test_several_backends_are_a_grid(tmp_path: Path) -> None:
    experiment, base = load_experiment(write(tmp_path, TEXT + NAMED), backends=["scripted:e", "scripted:f"])
    arms = resolve_arms(experiment, base)
    assert [(arm.name, arm.ensemble.panel_backend) for arm in arms] == [
        ("one · scripted:e", "scripted:e"),
        ("one · scripted:f", "scripted:f"),
    ]
    with pytest.raises(ConfigError, match="twice"):
        load_experiment(write(tmp_path, TEXT), backends=["e:1", "e:1"])
