"""One task of a run: a case, changed or not, judged once by one arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backends.errors import SixlensError
from backends.images.image import Image
from backends.images.likeness import likeness
from evals.data.item import Item
from evals.data.spec import DataSpec
from evals.experiment import NONE
from evals.journal import Key
from evals.judgment import Judgment, answers_in, costs_of, vote_of, votes_of
from fusion.verdict import Verdict
from orchestrator.judge import Judge
from orchestrator.perturbations import perturb
from paradigms.label import Cause


@dataclass(frozen=True, slots=True)
class Task:
    """What is judged once."""

    item: Item
    arm: str
    perturbation: str
    repeat: int

    @property
    def key(self) -> Key:
        """Under which it stands in the journal."""
        return self.arm, self.item.case, self.perturbation, self.repeat


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a task. `verdict` is None when there is an error, or when words are not kept."""

    judgment: Judgment
    verdict: dict[str, Any] | None = None
    starved: bool = False
    """The run's budget did not reach: the task is not done."""


async def perform(task: Task, judge: Judge, data: DataSpec, *, keep_words: bool) -> Result:
    """Judge the case of a task. Its errors are results, faults of the program included."""
    seen: dict[str, str] = {}

    def picture() -> Image:
        image = task.item.load(data.reencode)
        seen["sha256"] = image.perturbed_from or image.sha256
        bits = likeness(image.pixels())
        if bits is not None:
            seen["likeness"] = f"{bits:032x}"
        return image if task.perturbation == NONE else perturb(image, task.perturbation)

    judged = await judge.outcome(picture, known_as=task.item.case)
    about = {**_about(task), **seen, "costs": costs_of(judged.usage)}
    verdict = judged.verdict
    if verdict is None:
        return Result(_failed(about, judged.error), starved=_refused(judge))
    words = verdict.model_dump(mode="json", exclude_defaults=True) if keep_words else None
    return Result(_judged(about, verdict), words, _refused(judge) and _short_of_money(verdict))


def _short_of_money(verdict: Verdict) -> bool:
    panel = (verdict.panel,) if verdict.panel is not None else ()
    return any(report.cause is Cause.BUDGET for report in (*verdict.reports, *panel))


def _refused(judge: Judge) -> bool:
    """Whether the run's budget, or the one around it, turned a call away."""
    return any(budget.refused for budget in judge.kit.resources.budget.chain())


def _judged(about: dict[str, Any], verdict: Verdict) -> Judgment:
    return Judgment(
        **about,
        label=verdict.label,
        undecided_because=verdict.undecided_because,
        basis=verdict.basis,
        score=verdict.score,
        p_generated=verdict.p_generated,
        votes=votes_of(verdict),
        panel=None if verdict.panel is None else vote_of(verdict.panel),
        subject_calls=answers_in(verdict.preparation),
    )


def _failed(about: dict[str, Any], error: SixlensError | None) -> Judgment:
    return Judgment(**about, label=None, error=str(error), error_kind=type(error).__name__)


def _about(task: Task) -> dict[str, Any]:
    """What is known of a judgment before the outcome."""
    item = task.item
    return {
        "case": item.case,
        "truth": item.truth,
        "generator": item.generator,
        "source": item.source,
        "arm": task.arm,
        "perturbation": task.perturbation,
        "repeat": task.repeat,
    }
