"""What one case offers to the paradigms, and with what they examine it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from backends.backend import Backend
from backends.layers.budget import Budget
from backends.request import Observer, Picture
from paradigms.exemplars import Exemplar
from paradigms.region import Region
from paradigms.render import Renderer
from paradigms.signals.measurement import Measurement


@dataclass(frozen=True, slots=True)
class View:
    """What one case offers.

    `case` is the SHA-256 of the original file; `size` is width and height of the upright original in pixels. `subject`
    is None when nobody named one. Measurements are keyed by the name of the measure.
    """

    case: str
    size: tuple[int, int]
    image: Picture | None = None
    regions: tuple[Region, ...] = ()
    region_pictures: tuple[Picture, ...] = ()
    subject: str | None = None
    exemplars: tuple[tuple[Exemplar, Picture | None], ...] = ()
    measurements: Mapping[str, Measurement] = field(default_factory=dict)


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
