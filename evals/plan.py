"""What a run has to do: the arms, the data, and what decides the results."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backends.errors import ConfigError
from backends.prices import Prices
from evals.apart import keep_apart
from evals.arm import Arm, resolve_arms
from evals.data.dataset import DataSet, load_dataset
from evals.data.leaks import LeakWarning, find_leaks
from evals.data.spec import Reencode
from evals.experiment import Experiment
from evals.journal import Header, Key
from evals.scores import tell_scores
from evals.task import Task
from orchestrator.kit import backend_specs, identity_of, load_paradigms


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything resolved: nothing is asked yet."""

    experiment: Experiment
    base: Path
    """The folder that paths of the experiment count from."""
    arms: tuple[Arm, ...]
    data: DataSet
    leaks: tuple[LeakWarning, ...] = ()
    """Properties of the files that tell the labels apart by themselves."""
    notes: tuple[str, ...] = ()
    """What could not be made sure of."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Everything that is to be said of the data before results count, one line each."""
        return (*self.data.warnings, *(leak.words for leak in self.leaks), *self.notes)

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
            "re-encoding": _said(experiment.data.reencode),
            "perturbations": ", ".join(experiment.perturbations),
            "repeats": str(experiment.repeats),
            **{f"arm {arm.name}": identity_of(arm.ensemble) for arm in self.arms},
        }
        return Header(experiment=experiment.name, created_at=datetime.now(UTC), identity=identity)


def make_plan(experiment: Experiment, base: Path) -> Plan:
    """Resolve the arms and read the data set.

    Raises:
        ConfigError: an ensemble, a setting or the data cannot be used; exemplars, or what a calibration was fitted on,
            are among the data; or a budget in dollars cannot be kept.
        InputError: there are no pictures, or they cannot be read.
    """
    arms = resolve_arms(experiment, base)
    if experiment.budget.cost is not None:
        _know_prices(arms)
    data = load_dataset(experiment.data, base)
    ensembles = [arm.ensemble for arm in arms]
    scores = tell_scores(data.items, ensembles, reencoded=experiment.data.reencode is not None)
    notes = (*keep_apart(data.items, ensembles), *scores)
    return Plan(experiment, base, arms, data, find_leaks(data.items, experiment.data.reencode), notes)


def _know_prices(arms: tuple[Arm, ...]) -> None:
    for arm in arms:
        prices = Prices.load(Path(arm.ensemble.prices) if arm.ensemble.prices else None)
        for spec in backend_specs(arm.ensemble, load_paradigms(arm.ensemble)):
            if prices.find(spec) is None:
                raise ConfigError(
                    f"budget.cost cannot be kept: the price of {spec} is unknown. Give it in a price table (`prices` "
                    "of the ensemble), or limit budget.calls or budget.tokens instead."
                )


def _said(reencode: Reencode | None) -> str:
    if reencode is None:
        return "none"
    return f"JPEG of quality {reencode.quality}, at most {reencode.max_edge or 'any'} pixels"
