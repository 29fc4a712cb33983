"""Where an ensemble comes from: defaults < its YAML file < the environment < the command line."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from backends.errors import ConfigError, UnknownNameError
from backends.yaml_file import build, parse_yaml, read_yaml
from orchestrator.ensemble import Ensemble

MEASURED = "measured"
SIX = "six"
MAX_EXTENDS = 8
_FILE_ENDINGS = (".yaml", ".yml")
_OTHERS: Mapping[str, str] = MappingProxyType(
    {
        "steps": "a paradigm; name the file in the list `paradigms` of an ensemble",
        "data": "an experiment; run it with `sixlens eval run`",
        "rules": "a script of answers; use it as a backend, scripted:FILE",
    }
)
"""What a file is that has this key, which no ensemble has."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line or a caller sets above the file and the environment.

    `backend` replaces every backend of the ensemble, also those of single paradigms and of the panel. `settings` holds
    `KEY.KEY=VALUE` pairs, with values in YAML.
    """

    backend: str | None = None
    fusion: str | None = None
    settings: tuple[str, ...] = ()


def ensemble_names() -> tuple[str, ...]:
    """The names of the ensembles that ship."""
    folder = files("prompts") / "ensembles"
    return tuple(sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")))


def load_ensemble(
    name: str | None = None, overrides: Overrides = Overrides(), environment: Mapping[str, str] | None = None
) -> Ensemble:
    """The ensemble of this name or in this YAML file, with everything resolved.

    Without a name it is `six` when a backend is named anywhere, and `measured` otherwise. `environment` is read for
    `SIXLENS_BACKEND` alone.

    Raises:
        ConfigError: the file or a setting is wrong; one line says where and what was probably meant.
    """
    environment = {} if environment is None else environment
    named = overrides.backend or environment.get("SIXLENS_BACKEND") or None
    if name is None:
        sets_backend = any(setting.partition("=")[0].strip().endswith("backend") for setting in overrides.settings)
        name = SIX if named or sets_backend else MEASURED
    data, where = _resolve(name)
    if data.get("ask") is False:
        if overrides.backend:
            raise ConfigError(f"The ensemble {data.get('name')!r} asks no model. Use --ensemble {SIX} with --backend.")
    elif named:
        data["backend"] = named
    if overrides.backend:
        spec = overrides.backend
        data = {**without_backends(data, (spec,)), "backend": spec}
    if overrides.fusion:
        data = _merge(data, {"fusion": {"strategy": overrides.fusion}})
    if not overrides.settings:
        return build(Ensemble, data, where)
    changed = data
    for setting in overrides.settings:
        changed = _merge(changed, _setting(setting))
    return build(Ensemble, changed, where if _is_wrong(data, where) else "--set")


def resolve_file(base: Path, data: Mapping[str, Any]) -> dict[str, Any]:
    """The data of an ensemble with the paths in it made relative to the folder `base` it stands in."""
    resolved = dict(data)
    if isinstance(data.get("paradigms"), list):
        resolved["paradigms"] = _listed(data["paradigms"], base)
    elif isinstance(data.get("paradigms"), dict):
        resolved["paradigms"] = {name: _beside(choice, base) for name, choice in data["paradigms"].items()}
    for key in ("exemplars", "prices"):
        if isinstance(data.get(key), str):
            resolved[key] = str(base / data[key])
    fusion = data.get("fusion")
    if isinstance(fusion, dict) and isinstance(fusion.get("calibration"), str):
        resolved["fusion"] = {**fusion, "calibration": str(base / fusion["calibration"])}
    return resolved


def _resolve(name: str, depth: int = 0) -> tuple[dict[str, Any], str]:
    if depth > MAX_EXTENDS:
        raise ConfigError(f"{name}: `extends` goes more than {MAX_EXTENDS} deep.")
    own, where, shipped = _read(name)
    replaces = isinstance(own.get("paradigms"), list)
    base = Path() if shipped else Path(where).parent
    own = resolve_file(base, own)
    parent = own.pop("extends", None if shipped else SIX)
    if parent is None or parent == "defaults":
        text = (files("prompts") / "defaults.yaml").read_text("utf-8")
        inherited: dict[str, Any] = parse_yaml(text, "prompts/defaults.yaml")
    elif isinstance(parent, str):
        target = str(base / parent) if parent.endswith(_FILE_ENDINGS) else parent
        inherited, _ = _resolve(target, depth + 1)
    else:
        raise ConfigError(f"{where}: `extends` is the name of an ensemble or a YAML file.")
    if replaces:
        inherited["paradigms"] = {}
    own.setdefault("name", re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(where).stem).strip("-_.")[:80] or "ensemble")
    return _merge(inherited, own), where


def _read(name: str) -> tuple[dict[str, Any], str, bool]:
    """The file's own data, where it stands, and whether it ships."""
    if name in ensemble_names():
        where = f"prompts/ensembles/{name}.yaml"
        data = parse_yaml((files("prompts") / "ensembles" / f"{name}.yaml").read_text("utf-8"), where)
    elif name.endswith(_FILE_ENDINGS):
        where = name
        data = read_yaml(Path(name))
    else:
        raise UnknownNameError("ensemble", name, ensemble_names())
    if not isinstance(data, dict):
        raise ConfigError(f"{where}: an ensemble is a mapping of settings.")
    for key, what in _OTHERS.items():
        if key in data:
            raise ConfigError(f"{where}: this is {what}.")
    data.pop("$schema", None)
    return data, where, name in ensemble_names()


def _listed(names: Sequence[Any], base: Path) -> dict[str, Any]:
    """A list of paradigm names and files as a mapping by name."""
    choices: dict[str, Any] = {}
    for item in names:
        if not isinstance(item, str):
            raise ConfigError("`paradigms` is a list of names and YAML files, or a mapping by name.")
        is_file = item.endswith(_FILE_ENDINGS)
        choices[Path(item).stem if is_file else item] = {"file": str(base / item)} if is_file else {}
    return choices


def _beside(choice: Any, base: Path) -> Any:
    """A paradigm's choice with its file made relative to the folder of the ensemble."""
    if choice is None or not isinstance(choice, dict) or not isinstance(choice.get("file"), str):
        return choice
    return {**choice, "file": str(base / choice["file"])}


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` on top of `base`, mappings merged key by key; a paradigm that is set to null is dropped."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        if key == "paradigms" and isinstance(merged[key], dict):
            merged[key] = _undropped(merged[key], old if isinstance(old, dict) else {})
    return merged


def _undropped(choices: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """The choices that are not null; only what is there can be dropped."""
    for name, choice in choices.items():
        if choice is None and name not in there:
            raise UnknownNameError("paradigm", name, there)
    return {name: choice for name, choice in choices.items() if choice is not None}


def without_backends(data: Mapping[str, Any], specs: Collection[str]) -> dict[str, Any]:
    """Settings of an ensemble that name nobody any more, so that others can stand for all that they named.

    Args:
        data: all settings of an ensemble, or some.
        specs: those that will be asked; what the settings hold about these is kept.
    """
    kept = _about(data, specs)
    choices, fusion, limits = (kept.get(key) for key in ("paradigms", "fusion", "limits"))
    if isinstance(choices, dict):
        kept["paradigms"] = {name: _unnamed(choice) for name, choice in choices.items()}
    if isinstance(fusion, dict) and "backend" in fusion:
        kept["fusion"] = {**fusion, "backend": None}
    if isinstance(limits, dict):
        kept["limits"] = _about(limits, specs)
    if "fallback" in kept:
        kept["fallback"] = []
    return kept


def _about(data: Mapping[str, Any], specs: Collection[str]) -> dict[str, Any]:
    """The data with what `backends` holds about these alone."""
    own = data.get("backends")
    if not isinstance(own, dict):
        return dict(data)
    return {**data, "backends": {spec: value for spec, value in own.items() if spec in specs}}


def _unnamed(choice: Any) -> Any:
    return {key: value for key, value in choice.items() if key != "backend"} if isinstance(choice, dict) else choice


def _is_wrong(data: Mapping[str, Any], where: str) -> bool:
    """Whether something is wrong before any `--set` counts, so that the right place is blamed for it."""
    try:
        build(Ensemble, data, where)
    except ConfigError:
        return True
    return False


def _setting(text: str) -> dict[str, Any]:
    """`a.b=value` as nested data."""
    path, equals, value = text.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise ConfigError(f"--set takes KEY.KEY=VALUE, for example fusion.quorum=3; got {text!r}.")
    data: Any = parse_yaml(value, f"--set {path.strip()}")
    for key in reversed(keys):
        data = {key: data}
    return dict(data)
