"""A paradigm as it is written in YAML: one way of looking, a chain of steps."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

NAME = r"^[a-z][a-z0-9_]{0,39}$"


class Layout(StrEnum):
    """How a question is laid out."""

    PAPER = "paper"
    """Each paradigm has its own system text; the panel reads the answers as turns of the assistant."""
    SHARED = "shared"
    """One system text and one answer form for all, the picture first: prefix caches serve every call but the first."""


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PicturePart(_Config):
    """A picture inside a turn: the whole `image`, every `region`, or the `exemplar` of an `each` turn."""

    picture: Literal["image", "region", "exemplar"]


Content = str | tuple[str | PicturePart, ...]


class UserTurn(_Config):
    """What the user says."""

    user: Content


class AssistantTurn(_Config):
    """What the assistant is made to have said."""

    assistant: Content


class EachTurn(_Config):
    """Turns that are repeated: for every exemplar, or (the panel's) for every answer."""

    each: Literal["exemplars", "answers"]
    turns: tuple[UserTurn | AssistantTurn, ...]


Turn = UserTurn | AssistantTurn | EachTurn


class PaperPrompt(_Config):
    """A question in the layout `paper`."""

    system: str
    turns: tuple[Turn, ...] = Field(min_length=1)


class SharedPrompt(_Config):
    """A question in the layout `shared`: what follows the shared system text and the picture."""

    question: str
    regions: bool = False
    """Show the regions of interest after the whole picture."""
    before: tuple[Turn, ...] = ()
    """Turns before the picture, the same for a whole data set: picture exemplars."""


class Prompt(_Config):
    """One question in both layouts. Without `paper`, the shared question serves both."""

    paper: PaperPrompt | None = None
    shared: SharedPrompt


class AskStep(Prompt):
    """A step that asks a backend.

    `ask: verdict` wants a reasoned verdict and reads a label from it; `ask: text` wants plain text, which later templates
    may use under the step's name. `picture: false` asks without the picture, so that the answer serves every picture of
    the same subject. `prefill` begins the assistant's turn, on backends that can.
    """

    name: str = Field(pattern=NAME)
    ask: Literal["verdict", "text"]
    picture: bool = True
    prefill: str | None = None

    @model_validator(mode="after")
    def _pictures_are_meant(self) -> Self:
        if self.ask == "verdict" and not self.picture:
            raise ValueError("a verdict needs the picture; set picture: true")
        return self


class MeasureStep(_Config):
    """A step that measures, without any model."""

    name: str = Field(pattern=NAME)
    measure: str


def _kind(value: object) -> str:
    if isinstance(value, MeasureStep):
        return "measure"
    return "measure" if isinstance(value, dict) and "measure" in value else "ask"


Step = Annotated[Annotated[AskStep, Tag("ask")] | Annotated[MeasureStep, Tag("measure")], Discriminator(_kind)]


class Paradigm(_Config):
    """One way of looking."""

    name: str = Field(pattern=NAME)
    version: str = Field(min_length=1, max_length=40)
    title: str = Field(min_length=1, max_length=80)
    """For people, for example `Details up close`."""
    question: str = Field(min_length=1, max_length=500)
    """What it looks into, in one sentence; the panel reads it before the paradigm's answer."""
    needs: tuple[Literal["subject", "regions", "exemplars"], ...] = ()
    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _chain(self) -> Self:
        names = [step.name for step in self.steps]
        if len(set(names)) != len(names):
            raise ValueError("two steps have the same name")
        asks = self.asks
        if asks and asks[-1].ask != "verdict":
            raise ValueError("the last step that asks must be `ask: verdict`")
        if any(step.ask == "verdict" for step in asks[:-1]):
            raise ValueError("only the last step that asks may be `ask: verdict`")
        reserved = {"subject", "exemplars", "regions", "answers", "provenance", "unanswered"} & set(names)
        if reserved:
            raise ValueError(f"a step may not be called {sorted(reserved)[0]!r}: templates use that name")
        return self

    @property
    def asks(self) -> tuple[AskStep, ...]:
        """The steps that ask a backend, in order."""
        return tuple(step for step in self.steps if isinstance(step, AskStep))

    @property
    def measures(self) -> tuple[MeasureStep, ...]:
        """The steps that measure, in order."""
        return tuple(step for step in self.steps if isinstance(step, MeasureStep))

    @property
    def prompt_version(self) -> str:
        """The version and the first eight digits of a hash of the content, so that an edit without a bump shows."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return f"{self.version}+{hashlib.sha256(content.encode()).hexdigest()[:8]}"
