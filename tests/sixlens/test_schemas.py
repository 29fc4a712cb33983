from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import sixlens
from backends.errors import UnknownNameError
from backends.yaml_file import parse_yaml
from evals.calibrate.calibrate import calibrate
from evals.shipped import experiment_names
from orchestrator.config import ensemble_names
from paradigms.library import paradigm_names
from sixlens.schemas import schema, schema_names
from tests.evals.simulated import RULES, correlated


def validator(name: str) -> jsonschema.Draft202012Validator:
    made = schema(name)
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def shipped(path: str) -> Any:
    return parse_yaml((files("prompts") / path).read_text("utf-8"), path)


@pytest.mark.parametrize("name", schema_names())
def test_each_is_a_schema_by_itself(name: str) -> None:
    validator(name)
    references = {line.split('"')[3] for line in json.dumps(schema(name), indent=1).splitlines() if '"$ref"' in line}
    assert references <= {f"#/$defs/{key}" for key in schema(name).get("$defs", {})}


def test_verdicts_follow_theirs(photo: Path, declared: Path, script: str) -> None:
    check = validator("verdict")
    for verdict in (sixlens.judge(photo), sixlens.judge(declared), sixlens.judge(photo, backend=script, trace=True)):
        check.validate(verdict.model_dump(mode="json"))
    assert "usage" in schema("verdict")["required"]


@pytest.mark.parametrize("name", ensemble_names())
def test_ensembles_that_ship_follow_theirs(name: str) -> None:
    validator("ensemble").validate(shipped(f"ensembles/{name}.yaml"))


def test_the_defaults_follow_the_schema_and_stand_in_it() -> None:
    defaults = shipped("defaults.yaml")
    made = schema("ensemble")
    validator("ensemble").validate(defaults)
    assert made["properties"]["layout"]["default"] == "shared"
    assert made["$defs"]["Deadlines"]["properties"]["case"]["default"] == defaults["deadlines"]["case"]
    assert set(defaults) <= set(made["properties"])


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{$schema: ensemble.schema.json, extends: null}",
        "{extends: six, fusion: {quorum: 5}, deadlines: {case: 10}}",
        "paradigms: [commonsense, mine.yaml]",
        "paradigms: {commonsense: null, mine: {file: mine.yaml}, structural: {backend: 'ollama:x'}}",
        "backends: {'openai:x': {extra: {reasoning_effort: none}, capabilities: {images: true}}}",
    ],
)
def test_any_part_of_an_ensemble_may_be_written(text: str) -> None:
    validator("ensemble").validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    [
        "bakend: ollama:x",
        "fusion: {quorom: 5}",
        "fusion: {quorum: 0}",
        "fusion: {strategy: guess}",
        "paradigms: []",
        "paradigms: {commonsense: {fille: x}}",
        "backends: {'openai:x': {capabilitys: {}}}",
    ],
)
def test_a_mistake_in_an_ensemble_is_found(text: str) -> None:
    assert not validator("ensemble").is_valid(yaml.safe_load(text))


@pytest.mark.parametrize("name", experiment_names())
def test_experiments_that_ship_follow_theirs(name: str) -> None:
    validator("experiment").validate({"$schema": "experiment.schema.json", **shipped(f"experiments/{name}.yaml")})


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("{name: x, data: {path: p, generated: fake, exclude: [a.png]}}", True),
        ("{name: x, data: {path: p}, grid: {strategy: [vote, stacked], paradigms: [[regional]]}}", True),
        ("{name: x}", False),
        ("{name: x, data: {path: p}, perturbations: [jpeg]}", False),
        ("{name: x, data: {path: p}, base: {strategy: guess}}", False),
        ("{name: x, data: {path: p}, repeat: 2}", False),
    ],
)
def test_an_experiment_follows_its_schema_or_not(text: str, valid: bool) -> None:
    assert validator("experiment").is_valid(yaml.safe_load(text)) is valid


def test_a_fitted_calibration_follows_its_schema() -> None:
    made = yaml.safe_load(calibrate(correlated(100), rules=RULES).yaml)
    validator("calibration").validate(made)
    assert not validator("calibration").is_valid({**made, "minimum": 0})


@pytest.mark.parametrize("name", paradigm_names())
def test_paradigms_that_ship_follow_theirs(name: str) -> None:
    data = shipped(f"paradigms/{name}.yaml")
    validator("paradigm").validate({"$schema": "paradigm.schema.json", **data})
    assert not validator("paradigm").is_valid({**data, "stepps": []})


def test_the_exemplars_that_ship_follow_theirs() -> None:
    validator("exemplars").validate(shipped("exemplars.yaml"))
    assert not validator("exemplars").is_valid([{"label": "fake"}])


def test_descriptions_come_from_the_code() -> None:
    assert schema("verdict")["properties"]["p_generated"]["description"].startswith("None until")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'verdict'"):
        schema("verdit")
