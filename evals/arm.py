"""The arms of an experiment: one resolved ensemble each."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.errors import ConfigError
from evals.experiment import MAX_ARMS, MAX_NAME, ArmSpec, Experiment, Grid, Variation
from orchestrator.config import Overrides, load_ensemble, resolve_file
from orchestrator.ensemble import Ensemble

REPEAT_APART = 1000
"""Samples add their number to the seed, so the seeds of repeats keep this distance."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of judging the data set."""

    name: str
    ensemble: Ensemble

    def repeated(self, repeat: int) -> Ensemble:
        """The ensemble for a repeat, counted from 0: with a seed of its own, if there is one."""
        sampling = self.ensemble.sampling
        if sampling.seed is None or repeat == 0:
            return self.ensemble
        changed = sampling.model_copy(update={"seed": sampling.seed + REPEAT_APART * repeat})
        return self.ensemble.model_copy(update={"sampling": changed})


def resolve_arms(experiment: Experiment, base: Path) -> tuple[Arm, ...]:
    """Every arm, those that ask the same backend next to each other: a local model is loaded once then.

    The environment is not read: a result that depends on it cannot be repeated.

    Args:
        experiment: what was written.
        base: the folder that paths in it count from.

    Raises:
        ConfigError: an ensemble or a setting is wrong, there are too many arms, or two of one name.
    """
    specs = list(itertools.islice(_specs(experiment), MAX_ARMS + 1))
    if len(specs) > MAX_ARMS:
        raise ConfigError(f"The experiment has more than {MAX_ARMS} arms.")
    names = [spec.name for spec in specs]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise ConfigError(f"Two arms are called {double!r}; name them apart under `arms`.")
    arms = [_resolve(spec, experiment, base) for spec in specs]
    order = {backend: place for place, backend in enumerate(dict.fromkeys(arm.ensemble.backend for arm in arms))}
    return tuple(sorted(arms, key=lambda arm: order[arm.ensemble.backend]))


def _specs(experiment: Experiment) -> Iterator[ArmSpec]:
    """The arms as they are written, in every combination of the grid."""
    cells = list(_combinations(experiment.grid)) if experiment.grid else []
    if not experiment.arms:
        yield from cells or [ArmSpec(name=_short(experiment.base.ensemble or "six"))]
    elif not cells:
        yield from experiment.arms
    else:
        yield from (_crossed(arm, cell) for arm in experiment.arms for cell in cells)


def _combinations(grid: Grid) -> Iterator[ArmSpec]:
    """Every combination, named by what varies in the grid; none for a grid without any values."""
    axes = {name: values for name, values in grid if values}
    if not axes:
        return
    for values in itertools.islice(itertools.product(*axes.values()), MAX_ARMS + 1):
        cell = dict(zip(axes, values, strict=True))
        varying = [_say(name, value) for name, value in cell.items() if len(axes[name]) > 1]
        name = " · ".join(varying or [_say(name, value) for name, value in cell.items()])
        yield ArmSpec(name=name[:MAX_NAME], **cell)


def _crossed(arm: ArmSpec, cell: ArmSpec) -> ArmSpec:
    """An arm in one combination of the grid.

    Raises:
        ConfigError: both set the same.
    """
    own = arm.model_dump(exclude_none=True, exclude={"name", "set"})
    put = cell.model_dump(exclude_none=True, exclude={"name", "set"})
    both = own.keys() & put.keys()
    if both:
        raise ConfigError(f"The arm {arm.name!r} and the grid both set {min(both)}; leave it out of one of them.")
    return arm.model_copy(update={**put, "name": f"{arm.name} · {cell.name}"[:MAX_NAME]})


def _say(axis: str, value: Any) -> str:
    if axis == "paradigms":
        return "+".join(_short(name) for name in value)
    return _short(str(value)) if axis == "ensemble" else str(value)


def _short(ensemble: str) -> str:
    return Path(ensemble).stem if ensemble.endswith((".yaml", ".yml")) else ensemble


def _resolve(spec: ArmSpec, experiment: Experiment, base: Path) -> Arm:
    """One arm: the settings of `base` below those of the arm."""
    common = experiment.base
    name = spec.ensemble or common.ensemble or "six"
    source = str(base / name) if name.endswith((".yaml", ".yml")) else name
    try:
        whole = load_ensemble(source)
        settings = (
            *_settings(common, base),
            *_settings(spec, base),
            *_only(
                spec.paradigms or common.paradigms or (), whole, base, staged="stages" in {**common.set, **spec.set}
            ),
            f"provenance={experiment.provenance.value}",
        )
        backend = (spec.backend or common.backend) if whole.ask else None
        ensemble = load_ensemble(source, Overrides(backend=backend, settings=settings))
    except ConfigError as error:
        raise ConfigError(f"arm {spec.name!r}: {error}") from error
    sampling = ensemble.sampling
    if experiment.seed is not None and sampling.seed is None:
        sampling = sampling.model_copy(update={"seed": experiment.seed})
    return Arm(spec.name, ensemble.model_copy(update={"sampling": sampling}))


def _settings(variation: Variation, base: Path) -> Iterator[str]:
    yield from _flat(resolve_file(base, variation.set))
    if variation.layout is not None:
        yield f"layout={variation.layout.value}"
    if variation.strategy is not None:
        yield f"fusion.strategy={variation.strategy}"


def _only(paradigms: tuple[str, ...], whole: Ensemble, base: Path, *, staged: bool) -> Iterator[str]:
    """Settings that leave an ensemble these paradigms alone, or all if none is named.

    New ones join its last stage, unless its stages are `staged` by a setting of their own.
    """
    if not paradigms:
        return
    chosen: dict[str, Any] = resolve_file(base, {"paradigms": list(paradigms)})["paradigms"]
    added = {name: choice for name, choice in chosen.items() if name not in whole.paradigms or choice}
    dropped = [name for name in whole.paradigms if name not in chosen]
    yield from _flat({"paradigms": {**dict.fromkeys(dropped), **added}})
    stages = [[name for name in stage if name in chosen] for stage in whole.stages]
    if stages and not staged:
        stages[-1] += [name for name in chosen if name not in whole.paradigms]
        yield from _flat({"stages": [stage for stage in stages if stage]})


def _flat(data: Mapping[str, Any]) -> Iterator[str]:
    """Nested settings as `KEY=VALUE`; JSON is YAML, and mappings are merged key by key."""
    return (f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in data.items())
