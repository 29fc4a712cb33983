"""What one case offers to the paradigms, and with what they examine it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from backends.backend import Backend
from backends.layers.budget import Budget
from backends.request import Observer, Picture
from paradigms.exemplars import Exemplar
from paradigms.label import Cause, Outcome
from paradigms.region import Region
from paradigms.render import Renderer
from paradigms.signals.measurement import Measurement


@dataclass(frozen=True, slots=True)
class Lack:
    """Why something that examinations start from is not there, as the reports of these examinations say it."""

    reason: str
    outcome: Outcome = Outcome.SKIPPED
    cause: Cause | None = Cause.LACKING
    """None unless it is skipped."""
    bug: bool = False
    """Through a fault of the program."""

    @classmethod
    def failed(cls, reason: str, *, bug: bool = False) -> Self:
        """No answer came, so the examination failed before it began."""
        return cls(reason, Outcome.FAILED, None, bug)


NO_SUBJECT = Lack("no main subject was named, and this examination starts from it")


@dataclass(frozen=True, slots=True)
class View:
    """What one case offers.

    `case` is the SHA-256 of the original file; `size` is width and height of the upright original in pixels. `subject`
    is None when nobody named one, and `no_subject` then says why. Measurements are keyed by the name of the measure.
    """

    case: str
    size: tuple[int, int]
    image: Picture | None = None
    regions: tuple[Region, ...] = ()
    region_pictures: tuple[Picture, ...] = ()
    subject: str | None = None
    exemplars: tuple[tuple[Exemplar, Picture | None], ...] = ()
    measurements: Mapping[str, Measurement] = field(default_factory=dict)
    no_subject: Lack = NO_SUBJECT


class TokenLimits(BaseModel):
    """How long an answer may get, in tokens; one cut off is asked for once more with `more_room` times as many."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: int = Field(ge=1)
    text: int = Field(ge=1)
    follow_up: int = Field(ge=1)
    more_room: float = Field(ge=1, le=16)


@dataclass(frozen=True, slots=True)
class Means:
    """With what a paradigm examines a case. `backend` is None when no model is to be asked."""

    backend: Backend | None
    renderer: Renderer
    limits: TokenLimits
    temperature: float | None = 0.0
    seed: int | None = None
    samples: int = 1
    """How many answers to ask for where a verdict is asked for."""
    trace: bool = False
    observer: Observer | None = None
    budget: Budget | None = None
    """The case's own; None for the run's."""
    order: int = 0
    """The case's place in the queue; calls of older cases go first."""
