"""One number with its interval, as every table shows it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A result that cannot be changed and serialises to JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Method(StrEnum):
    """How an interval was made."""

    CLOPPER_PEARSON = "clopper_pearson"
    """Exact, for a share of independent cases; never empty, also with no event at all."""
    KORN_GRAUBARD = "korn_graubard"
    """Clopper-Pearson on the effective number of cases, for a share of cases that hang together."""
    BOOTSTRAP = "bootstrap"
    """Percentiles of resamples, widened for few units (Hesterberg's expanded percentiles)."""


class Estimate(Record):
    """A number and the interval around it. None is undefined, which is neither 0 nor 0.5."""

    value: float | None
    n: int
    """Judgments that it rests on."""
    events: int | None = None
    """For a share: how many of `n`. None for any other number."""
    low: float | None = None
    """Lower end of the interval; None where there is none, for example because no two resamples differ."""
    high: float | None = None
    method: Method | None = None
    units: int | None = None
    """What counted as independent for the interval: this many sources or cases."""
