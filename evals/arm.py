"""The arms of an experiment: one resolved ensemble each."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.errors import ConfigError
from evals.experiment import MAX_ARMS, ArmSpec, Experiment, Grid, Variation
from orchestrator.config import Overrides, load_ensemble, resolve_file
from orchestrator.ensemble import Ensemble


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
        # Samples add their number to the seed, so repeats keep a distance.
        changed = sampling.model_copy(update={"seed": sampling.seed + 1000 * repeat})
        return self.ensemble.model_copy(update={"sampling": changed})


def resolve_arms(experiment: Experiment, base: Path) -> tuple[Arm, ...]:
    """Every arm, those that ask the same backends next to each other: a local model is loaded once then.

    The environment is not read: a result that depends on it cannot be repeated.

    Args:
        experiment: what was written.
        base: the folder that paths in it count from.

    Raises:
        ConfigError: an ensemble or a setting is wrong, there are too many arms, or two of one name.
    """
    specs = [*experiment.arms, *(_combinations(experiment.grid) if experiment.grid else ())]
    specs = specs or [ArmSpec(name=_short(experiment.base.ensemble or "six"))]
    if len(specs) > MAX_ARMS:
        raise ConfigError(f"The experiment has {len(specs)} arms, more than {MAX_ARMS}.")
    names = [spec.name for spec in specs]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise ConfigError(f"Two arms are called {double!r}; name them apart under `arms`.")
    arms = [_resolve(spec, experiment, base) for spec in specs]
    order = {backend: place for place, backend in enumerate(dict.fromkeys(arm.ensemble.backend for arm in arms))}
    return tuple(sorted(arms, key=lambda arm: order[arm.ensemble.backend]))


def _combinations(grid: Grid) -> Iterator[ArmSpec]:
    """Every combination, named by what varies in the grid."""
    axes = {name: values for name, values in grid if values}
    for values in itertools.product(*axes.values()):
        cell = dict(zip(axes, values, strict=True))
        varying = [_say(name, value) for name, value in cell.items() if len(axes[name]) > 1]
        name = " · ".join(varying or [_say(name, value) for name, value in cell.items()])
        yield ArmSpec(name=name[:120] or "grid", **cell)


def _say(axis: str, value: Any) -> str:
    if axis == "paradigms":
        return "+".join(value)
    return _short(str(value)) if axis == "ensemble" else str(value)


def _short(ensemble: str) -> str:
    return Path(ensemble).stem if ensemble.endswith((".yaml", ".yml")) else ensemble


def _resolve(spec: ArmSpec, experiment: Experiment, base: Path) -> Arm:
    """One arm: the settings of `base` below those of the arm."""
    common = experiment.base
    name = spec.ensemble or common.ensemble or "six"
    source = str(base / name) if name.endswith((".yaml", ".yml")) else name
    whole = load_ensemble(source)
    settings = (
        *_flat(resolve_file(base, common.set)),
        *_variation(common, whole),
        *_flat(resolve_file(base, spec.set)),
        *_variation(spec, whole),
        f"provenance={experiment.provenance.value}",
    )
    backend = (spec.backend or common.backend) if whole.ask else None
    try:
        return Arm(spec.name, load_ensemble(source, Overrides(backend=backend, settings=settings)))
    except ConfigError as error:
        raise ConfigError(f"arm {spec.name!r}: {error}") from error


def _variation(variation: Variation, whole: Ensemble) -> Iterator[str]:
    if variation.layout is not None:
        yield f"layout={variation.layout.value}"
    if variation.strategy is not None:
        yield f"fusion.strategy={variation.strategy}"
    if variation.paradigms is not None:
        chosen = set(variation.paradigms)
        yield from (f"paradigms.{name}=null" for name in whole.paradigms if name not in chosen)
        yield from (f"paradigms.{name}={{}}" for name in variation.paradigms if name not in whole.paradigms)
        stages = [[name for name in stage if name in chosen] for stage in whole.stages]
        yield f"stages={json.dumps([stage for stage in stages if stage])}"


def _flat(data: Mapping[str, Any]) -> Iterator[str]:
    """Nested settings as `KEY=VALUE`; JSON is YAML, and mappings are merged key by key."""
    return (f"{key}={json.dumps(value)}" for key, value in data.items())
