"""The resolved configuration of a run, saved beside its journal, and what has changed since."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from backends.errors import ConfigError
from backends.yaml_file import MAX_BYTES, read_yaml
from evals.plan import Plan

CONFIG = "config.yaml"
MOST_NAMED = 3


def write_config(plan: Plan, folder: Path) -> None:
    """Save the experiment and every arm with all settings resolved, and what the data turned out to be.

    Raises:
        ConfigError: it cannot be written, or is too large to be read again.
    """
    data = {
        "experiment": plan.experiment.model_dump(mode="json"),
        # Absolute, so that a report finds the pictures from wherever it is made.
        "base": str(plan.base.absolute()),
        "arms": _arms(plan),
        "data": {
            "layout": plan.data.layout.value,
            "words": plan.data.words,
            "cases": len(plan.data.items),
            "notes": list(plan.data.notes),
            "warnings": list(plan.warnings),
            "leaks": [dataclasses.asdict(leak) for leak in plan.leaks],
        },
    }
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)
    if len(text.encode()) > MAX_BYTES:
        raise ConfigError("The experiment is too large to be saved with its run; take fewer arms.")
    temporary = folder / f".{CONFIG}"
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(folder / CONFIG)
    except OSError as error:
        raise ConfigError(f"{folder / CONFIG}: cannot be written ({error.strerror}).") from error


def saved_config(folder: Path) -> dict[str, Any]:
    """Everything that was saved; empty for a run of imported votes.

    Raises:
        ConfigError: the file is damaged.
    """
    path = folder / CONFIG
    if not path.exists():
        return {}
    data = read_yaml(path)
    if not isinstance(data, dict) or "experiment" not in data or not isinstance(data.get("arms"), dict):
        raise ConfigError(f"{path}: this is no configuration of a run.")
    return data


def changes(plan: Plan, folder: Path, there: Mapping[str, str]) -> Iterator[str]:
    """What has changed since a run began, a few words each; nothing if it can go on.

    Args:
        plan: what is to be done now.
        folder: the run's.
        there: the identity in the run's journal.
    """
    now, saved = plan.header().identity, saved_config(folder)
    arms = _arms(plan)
    for name in {**there, **now}:
        if there.get(name) == now.get(name):
            continue
        if name not in there or name not in now:
            yield f"{name} is {'new' if name in now else 'gone'}"
        elif name.startswith("arm "):
            arm = name.removeprefix("arm ")
            yield f"{name}: {_arm_change(saved.get('arms', {}).get(arm), arms[arm])}"
        elif name == "data":
            yield _data_change(saved.get("data", {}), plan)
        else:
            yield f"{name} was {there[name]}, is {now[name]}"


def _data_change(saved: Mapping[str, Any], plan: Plan) -> str:
    before, here = saved.get("cases"), len(plan.data.items)
    if before != here:
        return f"the data had {before} cases, has {here}"
    return "the data has other cases, labels, generators or sources, or files of another size"


def _arm_change(before: Any, now: Mapping[str, Any]) -> str:
    """Which settings differ; if none does, it is the content of a file."""
    old, new = dict(_leaves(before)), dict(_leaves(now))
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    if not keys:
        return "its prompts, exemplars, scores or calibration have another content"
    shown = [f"{key} was {old.get(key)}, is {new.get(key)}" for key in keys[:MOST_NAMED]]
    return "; ".join(shown) + (f" and {len(keys) - MOST_NAMED} more settings" if len(keys) > MOST_NAMED else "")


def _leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, node


def _arms(plan: Plan) -> dict[str, dict[str, Any]]:
    return {arm.name: arm.ensemble.model_dump(mode="json") for arm in plan.arms}
