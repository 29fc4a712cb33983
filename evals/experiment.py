"""An experiment as it is written in YAML: ensembles over a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from backends.errors import ConfigError, UnknownNameError
from backends.yaml_file import build, parse_yaml, read_yaml
from evals.data.spec import DataSpec
from evals.shipped import experiment_names, shipped_text
from fusion.declaration import ProvenanceMode
from orchestrator.config import without_backends
from orchestrator.judge import WINDOW
from orchestrator.perturbations import PERTURBATIONS
from paradigms.paradigm import Layout

NONE = "none"
"""The name of the picture as it is, among the perturbations."""
MAX_ARMS = 200
MAX_NAME = 120
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$"
_PLACES: Mapping[str, str] = MappingProxyType(
    {
        "backend": "beside `set`",
        "layout": "beside `set`",
        "paradigms": "beside `set` where it is a list",
        "provenance": "at the top of the experiment, for all arms alike",
        "extends": "in the ensemble's own file",
        "name": "in the ensemble's own file",
    }
)
"""Settings of an ensemble that `set` does not take."""
Paradigms = tuple[str, ...]


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Variation(_Config):
    """What an arm changes of the ensemble that it starts from; None leaves it."""

    ensemble: str | None = None
    """A name, or a YAML file relative to the experiment's."""
    backend: str | None = None
    """Who is asked in place of every backend of the ensemble."""
    layout: Layout | None = None
    paradigms: Paradigms | None = Field(default=None, min_length=1)
    """Only these: names, or YAML files relative to the experiment's. Those that the ensemble lacks are added."""
    strategy: str | None = None
    """The fusion strategy."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Any other settings of the ensemble, nested as in its file."""

    @field_validator("set")
    @classmethod
    def _elsewhere(cls, value: dict[str, Any]) -> dict[str, Any]:
        """Refuse what has a place of its own: here it would be overruled, or merged, without a word."""
        for key in value:
            if "." in key:
                raise ValueError(f"{key!r} is to be nested, as in an ensemble's own file")
        for key, place in _PLACES.items():
            if key in value and not (key == "paradigms" and isinstance(value[key], dict)):
                raise ValueError(f"{key} has its place {place}")
        return value


class ArmSpec(Variation):
    """One arm, with a name of its own."""

    name: str = Field(min_length=1, max_length=MAX_NAME)


class Grid(_Config):
    """Every combination of these is an arm; an empty list leaves that setting as it is.

    Beside `arms`, every one of those is tried in every combination.
    """

    ensemble: tuple[str, ...] = ()
    backend: tuple[str, ...] = ()
    layout: tuple[Layout, ...] = ()
    paradigms: tuple[Paradigms, ...] = ()
    strategy: tuple[str, ...] = ()


class RunBudget(_Config):
    """The most that the whole run may spend, resumed sessions included; None for no limit."""

    calls: int | None = Field(default=None, ge=0)
    """Attempts."""
    tokens: int | None = Field(default=None, ge=0)
    """Input and output."""
    cost: float | None = Field(default=None, ge=0)
    """US dollars."""


class RaySettings(_Config):
    """How the engine `ray` spreads the work."""

    workers: int = Field(default=2, ge=1, le=1000)
    """Actors, inclusive; slots and budget are divided among them."""
    address: str | None = None
    """A cluster that runs already; None starts one on this machine, on the loopback address only."""
    cpus: float = Field(default=0.5, gt=0)
    """CPUs that Ray sets aside for an actor."""
    gpus: float = Field(default=0.0, ge=0)
    """GPUs that Ray sets aside for an actor."""
    batch: int = Field(default=256, ge=1)
    """Cases handed to an actor at once."""


class Analysis(_Config):
    """How results are summed up. Changing it needs no new run."""

    resamples: int = Field(default=1000, ge=100, le=100_000)
    """Bootstrap resamples."""
    level: float = Field(default=0.95, gt=0.5, lt=1)
    """Of the intervals."""
    seed: int = Field(default=0, ge=0)
    """Of the resamples, at least 0."""


class Experiment(_Config):
    """Ensembles over a data set."""

    name: str = Field(pattern=_NAME)
    """Letters, digits, `_`, `.` and `-`; the run's folder is called so."""
    description: str = ""
    """One line, for lists and reports."""
    data: DataSpec
    """Which pictures, and what is true of them."""
    base: Variation = Variation()
    """What all arms start from."""
    arms: tuple[ArmSpec, ...] = ()
    """Arms that are named one by one."""
    grid: Grid | None = None
    """Arms that are all combinations of some settings."""
    perturbations: tuple[str, ...] = Field(default=(NONE,), min_length=1)
    """`none` is the picture as it is."""
    repeats: int = Field(default=1, ge=1, le=100)
    """How often everything is asked anew, for the variance; needs a temperature above 0 to mean much."""
    provenance: ProvenanceMode = ProvenanceMode.IGNORE
    """Generated files often carry their label in the metadata, so it is left out unless asked for."""
    seed: int | None = None
    """Of the answers, for backends that take one, where the ensemble sets none; repeats go on from it. The seed of the
    sample is `data.seed`, that of the intervals `analysis.seed`."""
    budget: RunBudget = RunBudget()
    """What the whole run may spend."""
    window: int = Field(default=WINDOW, ge=1, le=10_000)
    """Cases under way at once."""
    engine: Literal["local", "ray"] = "local"
    """Where the work is done: in this process, or on a Ray cluster (extra `ray`)."""
    ray: RaySettings = RaySettings()
    """Only for that engine."""
    analysis: Analysis = Analysis()
    """How results are summed up."""
    keep_words: bool = True
    """Keep what the paradigms said in the journal, for the report's table of cases."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        names = [arm.name for arm in self.arms]
        if len(set(names)) != len(names):
            raise ValueError("two arms have the same name")
        if len(set(self.perturbations)) != len(self.perturbations):
            raise ValueError("a perturbation is named twice")
        for name in self.perturbations:
            if name != NONE and name not in PERTURBATIONS:
                raise ValueError(str(UnknownNameError("perturbation", name, (NONE, *PERTURBATIONS))).rstrip("."))
        return self


def load_experiment(
    name: str, changes: Mapping[str, Any] = MappingProxyType({}), backends: Sequence[str] = ()
) -> tuple[Experiment, Path]:
    """The experiment of this name, or in this YAML file, and the folder that its paths count from.

    Args:
        name: one that ships, whose data is looked for below the working folder, or a YAML file.
        changes: settings above those of the file, nested as in it; a backend that they name is asked all the same.
        backends: who is asked in place of all that the file names; of several, each is an arm.

    Raises:
        ConfigError: there is none, a setting is wrong, or a backend is named twice.
    """
    if name in experiment_names():
        where, base = f"prompts/experiments/{name}.yaml", Path()
        data = parse_yaml(shipped_text(name), where)
    elif name.endswith((".yaml", ".yml")):
        where, base = name, Path(name).parent
        data = read_yaml(Path(name))
    else:
        raise UnknownNameError("experiment", name, experiment_names())
    if not isinstance(data, dict):
        raise ConfigError(f"{where}: an experiment is a mapping of settings.")
    data.pop("$schema", None)
    if backends:
        data = _asked_of(data, backends)
    return build(Experiment, _merged(data, changes), where), base


def _asked_of(data: Mapping[str, Any], backends: Sequence[str]) -> dict[str, Any]:
    """An experiment as it is written, with these backends in place of all that it names."""
    if len(set(backends)) < len(backends):
        raise ConfigError("A backend is named twice.")
    base, arms, grid = data.get("base") or {}, data.get("arms"), data.get("grid") or {}
    asked = dict(data)
    if isinstance(arms, list):
        asked["arms"] = [_unnamed(arm, backends) for arm in arms]
    if isinstance(base, dict):
        asked["base"] = {**_unnamed(base, backends), "backend": backends[0] if len(backends) == 1 else None}
    if isinstance(grid, dict):
        asked["grid"] = {**grid, "backend": [] if len(backends) == 1 else list(backends)}
    return asked


def _unnamed(variation: Any, backends: Sequence[str]) -> Any:
    """A variation that names nobody; what is none stays as it is, to be refused."""
    if not isinstance(variation, dict):
        return variation
    own = variation.get("set")
    named = {"set": without_backends(own, backends)} if isinstance(own, dict) else {}
    return {**variation, **named, "backend": None}


def _merged(data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(data)
    for key, value in changes.items():
        there = merged.get(key)
        merged[key] = _merged(there, value) if isinstance(there, dict) and isinstance(value, Mapping) else value
    return merged
