"""Everything that a report is made from, read and computed once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from backends.errors import InputError
from evals.ablation.ablate import MOST, Ablation, ablate
from evals.experiment import Analysis
from evals.journal import Header, read_header, read_judgments
from evals.judgment import Judgment
from evals.metrics import Comparison, RunSummary, Summary, compare, summarise_run
from evals.metrics.flips import BASELINE
from evals.report.setup import Setup, read_setup
from evals.run import JOURNAL
from fusion.declaration import ProvenanceMode
from fusion.verdict import Basis
from paradigms.label import Label

MOST_PAIRED = 6
"""Up to so many arms, every pair is compared; of more, each with the first."""
_DECLARED = (Basis.DECLARED_SIGNED, Basis.DECLARED_UNSIGNED)


@dataclass(frozen=True, slots=True)
class Material:
    """One run. What could not be computed is the reason, as words."""

    folder: Path
    header: Header
    setup: Setup
    judgments: list[Judgment]
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
        experiment = self.setup.experiment
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
    path = folder / JOURNAL
    header, setup = read_header(path), read_setup(folder)
    judgments = read_judgments(path)
    if not judgments:
        raise InputError(f"{folder}: no case has been judged yet, so there is nothing to report.")
    summary = _summarised(judgments, setup.analysis)
    seen = [judgment for judgment in judgments if judgment.basis not in _DECLARED]
    return Material(
        folder=folder,
        header=header,
        setup=setup,
        judgments=judgments,
        summary=summary,
        comparisons=_compared(judgments, summary, setup),
        ablation=_ablated(judgments, setup),
        undeclared=_summarised(seen, setup.analysis) if len(seen) < len(judgments) else None,
    )


def _summarised(judgments: list[Judgment], how: Analysis) -> RunSummary:
    return summarise_run(judgments, resamples=how.resamples, seed=how.seed, level=how.level)


def _compared(judgments: list[Judgment], summary: RunSummary, setup: Setup) -> tuple[Comparison, ...] | str:
    arms = [each.arm for each in summary.summaries if each.perturbation == BASELINE]
    if len(arms) < 2:
        return "There are no two arms that judged the same pictures as they are, so there is nothing to compare."
    analysis = setup.analysis
    # The order in which arms were written says which is the one to compare with.
    first = next((arm for arm in setup.arms if arm in arms), arms[0])
    try:
        return compare(
            judgments,
            reference=None if len(arms) <= MOST_PAIRED else first,
            resamples=analysis.resamples,
            seed=analysis.seed,
            level=analysis.level,
        )
    except InputError as error:
        return f"The arms cannot be compared: {error}"


def _ablated(judgments: list[Judgment], setup: Setup) -> Ablation | str:
    """Of the arm in which most paradigms voted; of equals, the one that was written first."""
    voters: dict[str, Counter[str]] = {}
    for judgment in judgments:
        if judgment.perturbation == BASELINE and judgment.truth in (Label.GENERATED, Label.REAL):
            counts = voters.setdefault(judgment.arm, Counter())
            counts.update(name for name, vote in judgment.votes.items() if vote.cast is not None)
    order = {arm: place for place, arm in enumerate(setup.arms)}
    arms = sorted(voters, key=lambda arm: (-len(voters[arm]), order.get(arm, len(order)), arm))
    if not arms or len(voters[arms[0]]) < 2:
        return "It takes an arm in which at least two paradigms voted on labelled pictures as they are."
    arm = arms[0]
    busiest = [name for name, _ in voters[arm].most_common(MOST)]
    rules = setup.rules(arm)
    rules = rules.model_copy(update={"quorum": min(rules.quorum, len(busiest))})
    chosen = [judgment for judgment in judgments if (judgment.arm, judgment.perturbation) == (arm, BASELINE)]
    try:
        return ablate(chosen, rules, voters=sorted(busiest), seed=setup.analysis.seed)
    except InputError as error:
        return str(error)
