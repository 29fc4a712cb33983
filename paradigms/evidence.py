"""One observation, with what it points to and what else could have caused it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from paradigms.region import Region, RegionSource


class Evidence(BaseModel):
    """One observation of a picture."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    """A short name, such as `merged fingers`."""
    phenomenon: str = Field(default="", max_length=2000)
    """What is to be seen."""
    reasoning: str = Field(default="", max_length=2000)
    """Why it matters."""
    severity: int | None = Field(default=None, ge=1, le=5)
    """1 barely … 5 decisive; None when nobody said."""
    points_to: Literal["generated", "real"] | None = None
    """None when it points to neither side by itself."""
    category: str = Field(default="", max_length=100)
    """The kind of sign, such as `anatomy`, `lighting`, `provenance`."""
    ordinary_cause: str = Field(default="", max_length=1000)
    """What in a camera, a codec or retouching could also leave it."""
    region: Region | None = None
    region_source: RegionSource | None = None
    paradigm: str = ""
    """The paradigm that reported it."""

    @model_validator(mode="after")
    def _region_has_a_source(self) -> Self:
        if (self.region is None) != (self.region_source is None):
            raise ValueError("a region and who drew it come together")
        return self
