"""A box on the original picture."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Region(BaseModel):
    """A box in fractions of the upright original picture.

    x runs to the right and y downwards, all in [0, 1], with x0 < x1 and y0 < y1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    x0: float = Field(ge=0, le=1)
    y0: float = Field(ge=0, le=1)
    x1: float = Field(ge=0, le=1)
    y1: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not (self.x0 < self.x1 and self.y0 < self.y1):
            raise ValueError("a region needs x0 < x1 and y0 < y1")
        return self

    @property
    def place(self) -> str:
        """Where its middle lies, in words."""
        column = _third((self.x0 + self.x1) / 2, ("left", "", "right"))
        row = _third((self.y0 + self.y1) / 2, ("upper", "", "lower"))
        if row and column:
            return f"at the {row} {column}"
        if row:
            return "at the top" if row == "upper" else "at the bottom"
        return f"at the middle {column}" if column else "in the middle"


def _third(middle: float, names: tuple[str, str, str]) -> str:
    return names[0] if middle < 1 / 3 else names[2] if middle > 2 / 3 else names[1]


class RegionSource(StrEnum):
    """Who drew a region."""

    MODEL = "model"
    PROPOSAL = "proposal"
    """A saliency proposal, made before any model looked."""
    MEASURED = "measured"
    """A measurement found something there."""
