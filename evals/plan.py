"""What a run has to do: the arms, the data, and what decides the results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from evals.arm import Arm, resolve_arms
from evals.data.dataset import DataSet, load_dataset
from evals.experiment import Experiment
from evals.journal import Header, Key
from evals.task import Task
from orchestrator.kit import identity_of


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything resolved: nothing is asked yet."""

    experiment: Experiment
    base: Path
    """The folder that paths of the experiment count from."""
    arms: tuple[Arm, ...]
    data: DataSet

    @property
    def size(self) -> int:
        """How many tasks there are."""
        each = len(self.experiment.perturbations) * self.experiment.repeats
        return len(self.data.items) * len(self.arms) * each

    def stretches(self) -> Iterator[tuple[Arm, int]]:
        """Arms and repeats, one after the other: each is judged by one Judge."""
        return ((arm, repeat) for arm in self.arms for repeat in range(self.experiment.repeats))

    def tasks(self, arm: Arm, repeat: int, done: Collection[Key]) -> Iterator[Task]:
        """The tasks of a stretch that are not done, in the order of the data."""
        for item in self.data.items:
            for perturbation in self.experiment.perturbations:
                task = Task(item, arm.name, perturbation, repeat)
                if task.key not in done:
                    yield task

    def header(self) -> Header:
        """The first line of the run's journal."""
        experiment = self.experiment
        identity = {
            "data": self.data.identity,
            "data settings": _digest(experiment.data.model_dump(mode="json")),
            "perturbations": ", ".join(experiment.perturbations),
            "repeats": str(experiment.repeats),
            **{f"arm {arm.name}": identity_of(arm.ensemble) for arm in self.arms},
        }
        return Header(experiment=experiment.name, created_at=datetime.now(UTC), identity=identity)


def make_plan(experiment: Experiment, base: Path) -> Plan:
    """Resolve the arms and read the data set.

    Raises:
        ConfigError: an ensemble, a setting or the data cannot be used; exemplars are among the data.
    """
    arms = resolve_arms(experiment, base)
    return Plan(experiment, base, arms, load_dataset(experiment.data, base))


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]
