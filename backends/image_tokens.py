"""How many tokens a picture counts for, where the provider has written down how it counts."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field


class ImageTokens(BaseModel):
    """A picture is shrunk, laid out in squares, and every square counts for the same number of tokens.

    All lengths are in pixels. What is left out does not happen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    square: int = Field(ge=1)
    """The side of a square."""
    each: float = Field(default=1.0, gt=0)
    """Tokens for one square."""
    base: int = Field(default=0, ge=0)
    """Tokens for the picture itself, on top of its squares."""
    most: int | None = Field(default=None, ge=1)
    """Squares at most, inclusive: a larger picture is shrunk until it has no more."""
    longer_side: int | None = Field(default=None, ge=1)
    """The longer side after shrinking, inclusive."""
    shorter_side: int | None = Field(default=None, ge=1)
    """The shorter side after shrinking, inclusive; applied after `longer_side`."""

    def count(self, width: int, height: int) -> int:
        """Tokens of a picture of this size, in pixels."""
        longer, shorter = float(max(width, height)), float(min(width, height))
        scale = min(1.0, (self.longer_side or longer) / longer)
        scale *= min(1.0, (self.shorter_side or shorter) / (shorter * scale))
        squares = math.ceil(longer * scale / self.square) * math.ceil(shorter * scale / self.square)
        return self.base + math.ceil(self.each * min(squares, self.most or squares))
