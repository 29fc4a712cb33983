"""What a paradigm says of a case."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backends.completion import Stop, TokenUsage
from paradigms.evidence import Evidence
from paradigms.label import Cause, Label, Outcome

ProbabilitySource = Literal["logprobs", "samples", "stated"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TracedMessage(_Record):
    """One rendered turn of a prompt. Pictures are named by their digest, never carried."""

    role: Literal["system", "user", "assistant"]
    text: str
    pictures: tuple[str, ...] = ()
    """SHA-256 of each picture shown in the turn, hexadecimal."""


class Trace(_Record):
    """What was asked and answered, word for word."""

    messages: tuple[TracedMessage, ...]
    answer: str


class StepRecord(_Record):
    """One step that was taken."""

    name: str
    kind: Literal["ask", "measure"]
    stop: Stop | None = None
    """Why the answer ended; None for a measurement."""
    seconds: float | None = None
    """Seconds the backend took; None for a measurement. An answer out of the cache keeps the seconds of its call."""
    usage: TokenUsage | None = None
    error: str | None = None
    """Why no answer came; None when one did."""
    text: str = ""
    """What was measured, in words; empty for an answer, which stands in the trace."""
    trace: Trace | None = None
    """Only when asked for."""


class Report(_Record):
    """What one paradigm says of a case. Only an `answered` report carries a label."""

    paradigm: str
    title: str
    question: str
    kind: Literal["examination", "score"] = "examination"
    """`score` for what a trained detector or a vendor gives: a number, and no vote."""
    outcome: Outcome
    reason: str | None = None
    """Why it is not `answered`, or why it does not vote, in one sentence."""
    cause: Cause | None = None
    """Why it was skipped, as one of a few words; None unless it was."""
    bug: bool = False
    """True when it failed through a fault of the program."""
    label: Label | None = None
    p_generated: float | None = Field(default=None, ge=0, le=1)
    """How sure the model is that the picture is generated. Not a calibrated probability; None when unknown."""
    source: ProbabilitySource | None = None
    """Where `p_generated` comes from."""
    score: float | None = Field(default=None, allow_inf_nan=False)
    """What a `score` member gave, on its own scale, higher for generated; None for every other. Only the fitted
    fusions use it."""
    evidence: tuple[Evidence, ...] = ()
    text: str = ""
    """The reasoning, in words."""
    backend: str | None = None
    """None when no model was asked."""
    model_served: str | None = None
    prompt_version: str
    seconds: float | None = None
    """Seconds the backend took, over all steps; None when no model was asked."""
    steps: tuple[StepRecord, ...] = ()
    notes: tuple[str, ...] = ()
    """What the reader should know: a setting left out, a fallback that answered, boxes dropped."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.outcome is Outcome.ANSWERED) != (self.label is not None):
            raise ValueError("an answered report carries a label, and no other does")
        if (self.outcome is Outcome.SKIPPED) != (self.cause is not None):
            raise ValueError("a skipped report says why, and no other does")
        if (self.p_generated is None) != (self.source is None):
            raise ValueError("p_generated and source come together")
        if self.p_generated is not None and self.label is None:
            raise ValueError("p_generated goes with an answer")
        if (self.score is not None) != (self.kind == "score" and self.outcome is Outcome.ANSWERED):
            raise ValueError("an answered score member has a score, and no other does")
        return self

    @property
    def has_eyes(self) -> bool:
        """Whether a model looked at the picture and answered."""
        return self.outcome is Outcome.ANSWERED and self.backend is not None

    @property
    def vote(self) -> Label | None:
        """`generated` or `real`, if a model that looked said so; measurements and hedges do not vote."""
        return self.label if self.has_eyes and self.label is not Label.UNDECIDED else None
