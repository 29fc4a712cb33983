"""A run as it lies on disk, read for analysis."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backends.errors import ConfigError, UnknownNameError
from backends.yaml_file import build
from evals.data.spec import DataSpec
from evals.experiment import NONE, Experiment
from evals.journal import Header, read_header, read_judgments
from evals.judgment import Judgment
from evals.run import JOURNAL
from evals.run_config import CONFIG, saved_config
from evals.tally import scaled
from fusion.decision import Rules
from orchestrator.config import load_ensemble
from orchestrator.ensemble import Ensemble


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run's judgments, one a task, with the configuration that gave them."""

    folder: Path
    header: Header
    judgments: tuple[Judgment, ...]
    experiment: Experiment | None
    """None for a run of imported votes."""
    ensembles: dict[str, Ensemble]
    """By arm; empty for a run of imported votes."""

    @property
    def arms(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(dict.fromkeys(judgment.arm for judgment in self.judgments))

    @property
    def data(self) -> DataSpec | None:
        """The data section of the experiment."""
        return self.experiment.data if self.experiment else None

    def arm(self, name: str | None) -> str:
        """The arm of this name, or the only one.

        Raises:
            UnknownNameError: there is none of this name.
            ConfigError: no name is given and there are several.
        """
        if name is None and len(self.arms) == 1:
            return self.arms[0]
        if name is None:
            raise ConfigError(f"{self.folder}: the run has several arms; name one with --arm: {', '.join(self.arms)}.")
        if name not in self.arms:
            raise UnknownNameError("arm", name, self.arms)
        return name

    def of(self, arm: str, perturbation: str = NONE) -> list[Judgment]:
        """The judgments of one arm under one perturbation."""
        return [it for it in self.judgments if it.arm == arm and it.perturbation == perturbation]

    def rules(self, arm: str) -> Rules:
        """When votes are enough, as the arm's ensemble says; for imported votes those of `six`, to their number."""
        ensemble = self.ensembles.get(arm)
        if ensemble is not None:
            return rules_of(ensemble)
        voters = {name for judgment in self.judgments if judgment.arm == arm for name in judgment.votes}
        six = load_ensemble("six")
        return scaled(rules_of(six), min(len(voters), len(six.paradigms)) or 1, len(six.paradigms))


def rules_of(ensemble: Ensemble) -> Rules:
    """When votes are enough, without the other settings of its fusion."""
    fusion = ensemble.fusion
    return Rules(quorum=fusion.quorum, generated_share=fusion.generated_share, real_share=fusion.real_share)


def open_run(folder: Path) -> StoredRun:
    """Read a run.

    Raises:
        ConfigError: there is none in this folder, or it is damaged.
    """
    path = folder / JOURNAL
    header = read_header(path)
    config = saved_config(folder)
    experiment = build(Experiment, config["experiment"], str(folder / CONFIG)) if config else None
    arms = config.get("arms", {}) if config else {}
    ensembles = {name: build(Ensemble, data, str(folder / CONFIG)) for name, data in arms.items()}
    return StoredRun(folder, header, tuple(read_judgments(path)), experiment, ensembles)
