"""The resolved configuration of a run, saved beside its journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from backends.errors import ConfigError
from backends.yaml_file import build, read_yaml
from evals.experiment import Experiment
from evals.plan import Plan

CONFIG = "config.yaml"


def write_config(plan: Plan, folder: Path) -> None:
    """Save the experiment and every arm with all settings resolved, and what the data turned out to be."""
    data: dict[str, Any] = {
        "experiment": plan.experiment.model_dump(mode="json"),
        "base": str(plan.base),
        "arms": {arm.name: arm.ensemble.model_dump(mode="json") for arm in plan.arms},
        "data": {
            "layout": plan.data.layout.value,
            "words": plan.data.words,
            "cases": len(plan.data.items),
            "notes": list(plan.data.notes),
            "warnings": list(plan.data.warnings),
        },
    }
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)
    (folder / CONFIG).write_text(text, encoding="utf-8")


def read_config(folder: Path) -> tuple[Experiment, Path] | None:
    """The experiment of a run, and the folder its paths count from; None for a run of imported votes.

    Raises:
        ConfigError: the file is damaged.
    """
    path = folder / CONFIG
    if not path.exists():
        return None
    data = read_yaml(path)
    if not isinstance(data, dict) or "experiment" not in data:
        raise ConfigError(f"{path}: this is no configuration of a run.")
    return build(Experiment, data["experiment"], str(path)), Path(str(data.get("base", ".")))
