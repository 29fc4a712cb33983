"""What `prepare` gathers for a case before anybody judges it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from paradigms.region import Region
from paradigms.report import StepRecord
from paradigms.signals.measurement import Measurement
from paradigms.signals.provenance import Provenance
from paradigms.subject import Medium


class Findings(BaseModel):
    """Findings of `prepare`: words and numbers only, never picture bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provenance: Provenance
    measurements: dict[str, Measurement] = {}
    regions: tuple[Region, ...] = ()
    subjects: dict[str, str] = {}
    """The main subject by the spec of the backend that named it."""
    media: dict[str, Medium | None] = {}
    """What the picture presents itself as, by the spec of the backend that was asked; None where it did not say."""
    steps: tuple[StepRecord, ...] = ()
    """The questions for the subject."""
    warnings: tuple[str, ...] = ()

    @property
    def medium(self) -> Medium | None:
        """The one medium that every backend named; None when unknown or when they differ."""
        named = set(self.media.values())
        return next(iter(named)) if len(named) == 1 else None
