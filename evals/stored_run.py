"""A run as it lies on disk, read for analysis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.errors import ConfigError, UnknownNameError
from backends.yaml_file import build
from evals.experiment import NONE, Analysis, Experiment
from evals.journal import Header, read_header, read_judgments
from evals.judgment import Judgment
from evals.run import JOURNAL
from evals.run_config import CONFIG, saved_config
from evals.tally import scaled
from fusion.decision import Rules
from orchestrator.config import load_ensemble
from orchestrator.ensemble import Ensemble

IMPORTED = "votes"
"""Under this name the identity of a run of imported votes says how many cases it has."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run's judgments, one a task, with the configuration that gave them.

    Of an ensemble only what an analysis needs is read, so that a run is not lost to a setting that came later.
    """

    folder: Path
    header: Header
    judgments: tuple[Judgment, ...]
    experiment: Experiment | None = None
    """None for a run of imported votes."""
    base: Path = Path()
    """The folder that paths of the experiment count from."""
    ensembles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Each arm's ensemble with all settings, as it was saved, in the order in which the arms were performed; empty for
    a run of imported votes."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the data set turned out to be, as it was saved."""

    @property
    def arms(self) -> tuple[str, ...]:
        """The names of those that judged anything."""
        return tuple(dict.fromkeys(judgment.arm for judgment in self.judgments))

    @property
    def analysis(self) -> Analysis:
        """How results are summed up."""
        return self.experiment.analysis if self.experiment else Analysis()

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
        """When votes are enough, as the arm's ensemble says; for imported votes those of `six`, to their number.

        Raises:
            ConfigError: what was saved of the arm is damaged.
        """
        saved = self.ensembles.get(arm)
        if saved is not None:
            fusion = saved.get("fusion")
            known = {name: fusion[name] for name in Rules.model_fields if name in fusion} if fusion else {}
            return build(Rules, known, f"{self.folder / CONFIG}, {arm}: fusion")
        voters = {name for judgment in self.judgments if judgment.arm == arm for name in judgment.votes}
        six = load_ensemble("six")
        return scaled(rules_of(six), min(len(voters), len(six.paradigms)) or 1, len(six.paradigms))

    def lines(self, key: str) -> tuple[str, ...]:
        """A list of sentences that was saved about the data."""
        said = self.data.get(key)
        return tuple(str(line) for line in said) if isinstance(said, list) else ()


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
    header, judgments, config = read_header(path), tuple(read_judgments(path)), saved_config(folder)
    if not config:
        _all_there(folder, header, len(judgments))
        return StoredRun(folder, header, judgments)
    return StoredRun(
        folder,
        header,
        judgments,
        experiment=build(Experiment, config["experiment"], str(folder / CONFIG)),
        base=Path(str(config.get("base", "."))),
        ensembles={str(name): _mapping(saved) for name, saved in config["arms"].items()},
        data=_mapping(config.get("data")),
    )


def _all_there(folder: Path, header: Header, there: int) -> None:
    """Refuse imported votes of which a part is missing: no session will bring it."""
    wanted = header.identity.get(IMPORTED, "")
    if wanted.isdecimal() and int(wanted) != there:
        raise ConfigError(
            f"{folder}: only {there:,} of the {int(wanted):,} imported cases are there; import the votes again, into "
            "another folder."
        )


def _mapping(value: object) -> dict[str, Any]:
    return {str(key): inner for key, inner in value.items()} if isinstance(value, dict) else {}
