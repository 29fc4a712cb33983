"""Everything that a report is made from, read and computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backends.errors import InputError
from evals.ablation.ablate import Ablation, ablate
from evals.experiment import Analysis
from evals.judgment import Judgment
from evals.metrics import Comparison, RunSummary, Summary, compare, summarise_run
from evals.metrics.flips import BASELINE
from evals.stored_run import StoredRun, open_run
from fusion.declaration import ProvenanceMode
from fusion.verdict import Basis
from paradigms.label import Label

MOST_PAIRED = 6
"""Up to so many arms, every pair is compared; of more, each with the first."""
_DECLARED = (Basis.DECLARED_SIGNED, Basis.DECLARED_UNSIGNED)


@dataclass(frozen=True, slots=True)
class Material:
    """One run. What could not be computed is the reason, as words."""

    run: StoredRun
    summary: RunSummary
    comparisons: tuple[Comparison, ...] | str
    ablation: Ablation | str
    undeclared: RunSummary | None
    """Without the judgments that rest on what the file itself declares; None when there is none of those."""

    @property
    def main(self) -> tuple[Summary, ...]:
        """One summary for each arm: of the pictures as they are, or else of the arm's first perturbation."""
        return main_of(self.summary)

    @property
    def declares(self) -> bool:
        """Whether what files declare was let into the judgments."""
        experiment = self.run.experiment
        asked = experiment is not None and experiment.provenance is not ProvenanceMode.IGNORE
        return asked or self.undeclared is not None


def main_of(run: RunSummary) -> tuple[Summary, ...]:
    """One summary for each arm of a run."""
    first = {summary.arm: summary for summary in reversed(run.summaries)}
    return tuple(run.summary(arm) or first[arm] for arm in run.arms)


def named(summary: Summary) -> str:
    """The arm, and under which perturbation if it is under one."""
    return summary.arm if summary.perturbation == BASELINE else f"{summary.arm}, {summary.perturbation}"


def gather(folder: Path) -> Material:
    """Read a run's folder and compute what its report needs. Nobody is asked.

    Raises:
        ConfigError: there is no run, or it is damaged.
        InputError: it has no judgment yet.
    """
    run = open_run(folder)
    if not run.judgments:
        raise InputError(f"{folder}: no case has been judged yet, so there is nothing to report.")
    summary = _summarised(run.judgments, run.analysis)
    seen = [judgment for judgment in run.judgments if judgment.basis not in _DECLARED]
    return Material(
        run=run,
        summary=summary,
        comparisons=_compared(run, summary),
        ablation=_ablated(run),
        undeclared=_summarised(seen, run.analysis) if len(seen) < len(run.judgments) else None,
    )


def _summarised(judgments: Sequence[Judgment], how: Analysis) -> RunSummary:
    return summarise_run(judgments, resamples=how.resamples, seed=how.seed, level=how.level)


def _compared(run: StoredRun, summary: RunSummary) -> tuple[Comparison, ...] | str:
    arms = [each.arm for each in summary.summaries if each.perturbation == BASELINE]
    if len(arms) < 2:
        return "There are no two arms that judged the same pictures as they are, so there is nothing to compare."
    analysis = run.analysis
    # The order in which arms were written says which is the one to compare with.
    first = next((arm for arm in run.ensembles if arm in arms), arms[0])
    try:
        return compare(
            run.judgments,
            reference=None if len(arms) <= MOST_PAIRED else first,
            resamples=analysis.resamples,
            seed=analysis.seed,
            level=analysis.level,
        )
    except InputError as error:
        return f"The arms cannot be compared: {error}"


def _ablated(run: StoredRun) -> Ablation | str:
    """Of the arm in which most paradigms voted; of equals, the one that was written first."""
    voters: dict[str, set[str]] = {}
    for judgment in run.judgments:
        if judgment.perturbation == BASELINE and judgment.truth in (Label.GENERATED, Label.REAL):
            cast = voters.setdefault(judgment.arm, set())
            cast.update(name for name, vote in judgment.votes.items() if vote.cast is not None)
    order = {arm: place for place, arm in enumerate(run.ensembles)}
    arms = sorted(voters, key=lambda arm: (-len(voters[arm]), order.get(arm, len(order)), arm))
    if not arms or len(voters[arms[0]]) < 2:
        return "It takes an arm in which at least two paradigms voted on labelled pictures as they are."
    try:
        return ablate(run.of(arms[0]), run.rules(arms[0]), seed=run.analysis.seed)
    except InputError as error:
        return str(error)
