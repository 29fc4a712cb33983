"""What became of one case under one arm of an experiment, as every analysis reads it."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from fusion.panel import NAME as PANEL
from fusion.verdict import Basis, Spending, UndecidedBecause, Verdict
from paradigms.label import Cause, Label, Outcome
from paradigms.report import Report, StepRecord


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Vote(_Record):
    """What one paradigm said. Only an `answered` one carries a label; a hedge is `answered, undecided`."""

    outcome: Outcome
    cause: Cause | None = None
    """Why it was skipped."""
    label: Label | None = None
    p_generated: float | None = Field(default=None, ge=0, le=1)
    """How sure the model said it is, or None."""
    score: float | None = None
    """What a `kind: score` member gave, on its own scale, higher for generated; None for every other member."""
    eyes: bool = True
    """Whether a model looked; measurements and scores have no eyes and do not vote."""
    calls: int = Field(default=0, ge=0)
    """Answers that the paradigm needed, out of the cache or not."""

    @property
    def cast(self) -> Label | None:
        """`generated` or `real`, if it voted."""
        return self.label if self.eyes and self.label is not Label.UNDECIDED else None


class Costs(_Record):
    """What a judgment took. `cost` is in US dollars. None is unknown, which is not 0."""

    calls: int | None = Field(default=None, ge=0)
    attempts: int | None = Field(default=None, ge=0)
    cache_hits: int | None = Field(default=None, ge=0)
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    seconds: float | None = Field(default=None, ge=0)


class Judgment(_Record):
    """One case, judged once by one arm. `label` is None when there is no verdict but an error."""

    case: str
    """The case's name in its data set; unique there."""
    sha256: str = ""
    """Of the original file, hexadecimal."""
    likeness: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    """128 bits of what the original shows, hexadecimal, by which copies are known; None for a picture that is too plain
    for it, or was not read."""
    truth: Label | None = None
    """`generated` or `real`, as the data set says; None for an unlabelled case."""
    generator: str | None = None
    source: str | None = None
    """Where the picture comes from: cases of one source are not independent."""
    arm: str
    """Which configuration of the experiment."""
    perturbation: str = "none"
    repeat: int = Field(default=0, ge=0)
    label: Label | None
    undecided_because: UndecidedBecause | None = None
    basis: Basis | None = None
    error: str | None = None
    error_kind: str | None = None
    """The name of the error's class."""
    score: float | None = None
    p_generated: float | None = Field(default=None, ge=0, le=1)
    """Of a calibration; or what an imported voter says of its only vote. None otherwise."""
    votes: dict[str, Vote] = Field(default_factory=dict)
    panel: Vote | None = None
    """What the panel said; None when it was not asked."""
    subject_calls: int = Field(default=0, ge=0)
    """Answers that the question for the main subject needed, out of the cache or not."""
    costs: Costs = Costs()

    @property
    def decided(self) -> bool:
        """Whether the label is `generated` or `real`."""
        return self.label in (Label.GENERATED, Label.REAL)

    @property
    def everybody(self) -> dict[str, Vote]:
        """The votes with that of the panel, if it was asked."""
        return self.votes if self.panel is None else {**self.votes, PANEL: self.panel}


def votes_of(verdict: Verdict) -> dict[str, Vote]:
    """The votes of a verdict's reports, by paradigm; the panel's is apart."""
    return {report.paradigm: vote_of(report) for report in verdict.reports}


def vote_of(report: Report) -> Vote:
    """What a report says."""
    return Vote(
        outcome=report.outcome,
        cause=report.cause,
        label=report.label,
        p_generated=report.p_generated,
        score=report.score,
        eyes=report.backend is not None,
        calls=answers_in(report.steps),
    )


def answers_in(steps: Iterable[StepRecord]) -> int:
    """How many of the steps that were taken ended in an answer."""
    return sum(step.kind == "ask" and step.stop is not None for step in steps)


def costs_of(usage: Spending | None) -> Costs:
    """What was spent; all unknown for None."""
    if usage is None:
        return Costs()
    return Costs(
        calls=usage.calls,
        attempts=usage.attempts,
        cache_hits=usage.cache_hits,
        input_tokens=usage.tokens.input_tokens,
        cached_tokens=usage.tokens.cached_tokens,
        output_tokens=usage.tokens.output_tokens,
        cost=usage.cost,
        seconds=usage.seconds,
    )
