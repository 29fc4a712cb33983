"""What a person decided about a picture, after looking at it and at the evidence."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class PersonDecision(BaseModel):
    """A person's decision. It stands beside the verdict, and never in its place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Literal["real", "generated", "cannot tell"]
    note: str = Field(default="", max_length=4000)
    """Why, in the person's own words."""
    at: AwareDatetime
    reviewer: str | None = Field(default=None, max_length=200)
    """Who decided; None when that is not to be said."""

    @property
    def words(self) -> str:
        """The decision in a sentence."""
        said = {"real": "It is a photograph.", "generated": "It is generated.", "cannot tell": "It cannot be told."}
        return said[self.label]
