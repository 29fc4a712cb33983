"""JSON Schemas, made from the models: of what is printed, and of what people write in YAML."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from backends.errors import UnknownNameError
from backends.settings import BackendSettings
from backends.yaml_file import parse_yaml
from evals.experiment import NONE, Experiment
from fusion.calibration import Calibration
from fusion.strategies import FITTED, STRATEGIES
from fusion.verdict import Verdict
from orchestrator.ensemble import Ensemble
from orchestrator.perturbations import PERTURBATIONS
from paradigms.exemplars import ExemplarRow
from paradigms.paradigm import Paradigm

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema(name: str) -> Schema:
    """The JSON Schema (draft 2020-12) of this name, one of `schema_names()`.

    Raises:
        UnknownNameError: there is none of this name.
    """
    if name not in _SCHEMAS:
        raise UnknownNameError("schema", name, _SCHEMAS)
    return {"$schema": DRAFT, "title": f"sixlens {name}", **_SCHEMAS[name]()}


def schema_names() -> tuple[str, ...]:
    """What there is a schema of."""
    return tuple(_SCHEMAS)


def _verdict() -> Schema:
    return _of(Verdict, printed=True)


def _ensemble() -> Schema:
    """An ensemble as it is written: every setting may be left out, since the defaults fill it in."""
    made: Schema = _optional(_of(Ensemble))
    settings = _of(BackendSettings)
    made["$defs"] |= settings.pop("$defs")
    made["$defs"]["BackendSettings"] = settings
    properties = made["properties"]
    choice = {"anyOf": [{"$ref": "#/$defs/ParadigmChoice"}, {"type": "null"}]}
    properties["paradigms"] = {
        "description": "A list of names and YAML files replaces those of the parent; a mapping is merged with them.",
        "anyOf": [
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
            {"type": "object", "additionalProperties": choice},
        ],
    }
    properties["backends"] = {
        "description": "Settings of single backends, by their spec.",
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/BackendSettings"},
    }
    properties["extends"] = {
        "description": "The ensemble that this one starts from: a name that ships, a YAML file, or `defaults`.",
        "type": ["string", "null"],
    }
    made["$defs"]["FusionSettings"]["properties"]["strategy"]["enum"] = [*STRATEGIES, *FITTED]
    defaults = parse_yaml((files("prompts") / "defaults.yaml").read_text("utf-8"), "prompts/defaults.yaml")
    return _with_defaults(_for_editors(made), defaults, made["$defs"])


def _paradigm() -> Schema:
    return _for_editors(_of(Paradigm))


def _exemplars() -> Schema:
    row = _of(ExemplarRow)
    row["properties"]["label"] = {"enum": ["generated", "real"], "description": "What the picture is."}
    definitions = row.pop("$defs", {})
    definitions.pop("Label", None)
    rest = {"$defs": definitions} if definitions else {}
    return {"description": "Exemplars for few-shot questions.", "type": "array", "items": row, **rest}


def _experiment() -> Schema:
    made = _for_editors(_of(Experiment))
    made["properties"]["perturbations"]["items"]["enum"] = [NONE, *PERTURBATIONS]
    for name in ("Variation", "ArmSpec"):
        made["$defs"][name]["properties"]["strategy"]["anyOf"][0]["enum"] = [*STRATEGIES, *FITTED]
    made["$defs"]["Grid"]["properties"]["strategy"]["items"]["enum"] = [*STRATEGIES, *FITTED]
    spec = made["$defs"]["DataSpec"]["properties"]
    for name in ("generated", "real", "exclude"):
        items = {key: spec[name].pop(key) for key in ("type", "items")}
        spec[name]["anyOf"] = [items, {"type": ["string", "number", "boolean"]}]
    return made


def _calibration() -> Schema:
    return _of(Calibration)


_SCHEMAS: Mapping[str, Callable[[], Schema]] = MappingProxyType(
    {
        "verdict": _verdict,
        "ensemble": _ensemble,
        "paradigm": _paradigm,
        "exemplars": _exemplars,
        "experiment": _experiment,
        "calibration": _calibration,
    }
)


class _Documented(GenerateJsonSchema):
    """Takes the strings under fields as their descriptions."""

    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        made = super().model_schema(schema)
        documented = _field_docs(schema["cls"])
        for name, field in made.get("properties", {}).items():
            if name in documented:
                made["properties"][name] = {**field, "description": documented[name]}
        return made


def _field_docs(model: type) -> Mapping[str, str]:
    """The string under each field of a class and of the classes it comes from."""
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if kind is BaseModel or not issubclass(kind, BaseModel):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
        assert isinstance(tree, ast.ClassDef)
        for field, below in zip(tree.body, tree.body[1:], strict=False):
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                found[field.target.id] = inspect.cleandoc(str(below.value.value))
    return found


def _of(model: type[BaseModel], *, printed: bool = False) -> Schema:
    made = model.model_json_schema(mode="serialization" if printed else "validation", schema_generator=_Documented)
    made.pop("title", None)
    return made


def _optional(node: Any) -> Any:
    """The schema without anything that is required, at every depth."""
    if isinstance(node, list):
        return [_optional(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _optional(value) for key, value in node.items() if key != "required" or not isinstance(value, list)}


def _for_editors(made: Schema) -> Schema:
    """The schema of a file that may name its schema."""
    own = {"$schema": {"description": "The schema of this file, for editors.", "type": "string"}}
    return {**made, "properties": {**own, **made["properties"]}}


def _with_defaults(made: Schema, defaults: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    """The schema with the shipped default of each setting, inside groups of settings too."""
    for name, value in defaults.items():
        field = made["properties"].get(name)
        if field is None:
            continue
        group = definitions.get(str(field.get("$ref", "")).rsplit("/", 1)[-1])
        if isinstance(value, dict) and group is not None and "properties" in group:
            _with_defaults(group, value, definitions)
        else:
            field["default"] = value
    return made
