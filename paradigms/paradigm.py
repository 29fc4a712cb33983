"""A paradigm as it is written in YAML: one way of looking, a chain of steps."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

NAME = r"^[a-z][a-z0-9_]{0,39}$"


def _named(value: object) -> object:
    """The value; one that is no name is refused in words, since a pattern says little to people."""
    if isinstance(value, str) and not re.fullmatch(NAME, value):
        raise ValueError("lower-case letters, digits and _ only, at most 40, and a letter first")
    return value


Name = Annotated[str, Field(pattern=NAME), BeforeValidator(_named)]


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
    """What the assistant is made to have said. It shows no pictures: models take them from the user alone."""

    assistant: str


def _speaker(value: object) -> str | None:
    """Which kind of turn a value is, by the key that it has."""
    keys = value if isinstance(value, dict) else getattr(type(value), "model_fields", ())
    return next((f"{kind} turn" for kind in ("user", "assistant", "each") if kind in keys), None)


_UserTurn = Annotated[UserTurn, Tag("user turn")]
_AssistantTurn = Annotated[AssistantTurn, Tag("assistant turn")]
_SAID = Discriminator(_speaker, custom_error_type="turn", custom_error_message="a turn has `user` or `assistant`")


class EachTurn(_Config):
    """Turns that are repeated: for every exemplar, or (the panel's) for every answer."""

    each: Literal["exemplars", "answers"]
    turns: tuple[Annotated[_UserTurn | _AssistantTurn, _SAID], ...] = Field(min_length=1)


_ANY = Discriminator(
    _speaker, custom_error_type="turn", custom_error_message="a turn has `user`, `assistant` or `each`"
)
Turn = Annotated[_UserTurn | _AssistantTurn | Annotated[EachTurn, Tag("each turn")], _ANY]


class PaperPrompt(_Config):
    """A question in the layout `paper`."""

    system: str = Field(min_length=1)
    turns: tuple[Turn, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if not isinstance(self.turns[-1], UserTurn):
            raise ValueError("the last turn must be the user's: it asks the question")
        return self


class SharedPrompt(_Config):
    """A question in the layout `shared`: what follows the shared system text and the picture."""

    question: str = Field(min_length=1)
    regions: bool = False
    """Show the regions of interest after the whole picture."""
    before: tuple[Turn, ...] = ()
    """Turns before the picture, the same for a whole data set: picture exemplars."""


class Prompt(_Config):
    """One question in both layouts. Without `paper`, the shared question serves both."""

    paper: PaperPrompt | None = None
    shared: SharedPrompt

    @model_validator(mode="after")
    def _exemplars_are_repeated(self) -> Self:
        for turn in self._turns:
            if "exemplar" in _pictures(turn) and getattr(turn, "each", None) != "exemplars":
                raise ValueError("`picture: exemplar` has its place inside `each: exemplars`")
        return self

    @property
    def shows(self) -> frozenset[str]:
        """What the prompt refers to of `image`, `region` and `exemplar`, besides the picture of every question."""
        shown = {name for turn in self._turns for name in _pictures(turn)}
        repeated = {"exemplar" for turn in self._turns if isinstance(turn, EachTurn) and turn.each == "exemplars"}
        return frozenset(shown | repeated | ({"region"} if self.shared.regions else set()))

    @property
    def _turns(self) -> tuple[Turn, ...]:
        return (*(self.paper.turns if self.paper else ()), *self.shared.before)


def _pictures(turn: Turn) -> Iterator[str]:
    """The pictures that a turn shows."""
    match turn:
        case UserTurn() if not isinstance(turn.user, str):
            yield from (part.picture for part in turn.user if isinstance(part, PicturePart))
        case EachTurn():
            yield from (name for inner in turn.turns for name in _pictures(inner))


class AskStep(Prompt):
    """A step that asks a backend.

    `ask: verdict` wants a reasoned verdict and reads a label from it; `ask: text` wants plain text, which later
    templates may use under the step's name. `picture: false` asks without the picture, so that the answer serves every
    picture of the same subject. `prefill` begins the assistant's turn, on backends that can.
    """

    name: Name
    ask: Literal["verdict", "text"]
    picture: bool = True
    prefill: str | None = None

    @model_validator(mode="after")
    def _pictures_are_meant(self) -> Self:
        if self.ask == "verdict" and not self.picture:
            raise ValueError("a verdict needs the picture; set picture: true")
        if self.ask == "verdict" and self.paper and "image" not in self.shows:
            raise ValueError("a verdict needs the picture; show it in a turn of `paper` with `picture: image`")
        if not self.picture and self.shows:
            raise ValueError(f"with `picture: false` there is no {min(self.shows)} to show")
        return self


class MeasureStep(_Config):
    """A step that measures, without any model."""

    name: Name
    measure: str


def _kind(value: object) -> str:
    measures = "measure" in value if isinstance(value, dict) else isinstance(value, MeasureStep)
    return "measure step" if measures else "ask step"


Step = Annotated[
    Annotated[AskStep, Tag("ask step")] | Annotated[MeasureStep, Tag("measure step")], Discriminator(_kind)
]

RESERVED = frozenset({"subject", "exemplars", "exemplar", "regions", "answers", "answer", "provenance", "unanswered"})
"""The variables that templates have besides the answers of earlier steps."""


class Paradigm(_Config):
    """One way of looking."""

    name: Name
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
        reserved = RESERVED & set(names)
        if reserved:
            raise ValueError(f"a step may not be called {min(reserved)!r}: templates use that name")
        return self

    @model_validator(mode="after")
    def _says_what_it_needs(self) -> Self:
        shown = {name for step in self.asks for name in step.shows}
        for picture, need in (("region", "regions"), ("exemplar", "exemplars")):
            if picture in shown and need not in self.needs:
                raise ValueError(f"a step shows {need}, so the paradigm needs them; add `needs: [{need}]`")
        return self

    @property
    def asks(self) -> tuple[AskStep, ...]:
        """The steps that ask a backend, in order."""
        return tuple(step for step in self.steps if isinstance(step, AskStep))

    @property
    def measures(self) -> tuple[MeasureStep, ...]:
        """The steps that measure, in order."""
        return tuple(step for step in self.steps if isinstance(step, MeasureStep))

    @cached_property
    def prompt_version(self) -> str:
        """The version and the first eight digits of a hash of the content, so that an edit without a bump shows."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return f"{self.version}+{hashlib.sha256(content.encode()).hexdigest()[:8]}"
