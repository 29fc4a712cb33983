"""What a run was set up as: its experiment, its arms and its data, as far as they were saved with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from backends.yaml_file import read_yaml
from evals.experiment import Analysis, Experiment
from evals.run_config import CONFIG, read_config
from fusion.decision import Rules
from orchestrator.config import load_ensemble


@dataclass(frozen=True, slots=True)
class Setup:
    """The saved configuration; everything is missing for a run of imported votes."""

    experiment: Experiment | None = None
    base: Path = Path()
    """The folder that paths of the experiment count from."""
    arms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Each arm's ensemble with all settings, as it was saved."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the data set turned out to be."""

    @property
    def analysis(self) -> Analysis:
        """How results are summed up."""
        return self.experiment.analysis if self.experiment else Analysis()

    def rules(self, arm: str) -> Rules:
        """When votes are enough in an arm; the defaults for an arm that was not saved."""
        saved = self.arms.get(arm, {}).get("fusion")
        names = Rules.model_fields
        try:
            return Rules.model_validate({name: saved[name] for name in names if name in saved} if saved else None)
        except (ValidationError, TypeError):
            usual = load_ensemble("six").fusion
            return Rules.model_validate({name: getattr(usual, name) for name in names})

    def lines(self, key: str) -> tuple[str, ...]:
        """A list of sentences that was saved about the data."""
        said = self.data.get(key)
        return tuple(str(line) for line in said) if isinstance(said, list) else ()


def read_setup(folder: Path) -> Setup:
    """The configuration of a run.

    Raises:
        ConfigError: it is damaged.
    """
    found = read_config(folder)
    if found is None:
        return Setup()
    experiment, base = found
    raw = read_yaml(folder / CONFIG)
    return Setup(experiment, base, _mapping(raw.get("arms")), _mapping(raw.get("data")))


def _mapping(value: object) -> dict[str, Any]:
    return {str(key): inner for key, inner in value.items()} if isinstance(value, dict) else {}
