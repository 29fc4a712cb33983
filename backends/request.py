"""What is asked of a backend: messages made of text and pictures, and how to sample the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from backends.completion import Completion
    from backends.layers.budget import Budget

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text in a message."""

    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture as it is delivered to a model: resized, upright, without metadata.

    `data` is the encoded file, `sha256` the hex digest of `data`, `width` and `height` are in pixels. The bytes are
    left out of `repr`, so that they never reach a log.
    """

    data: bytes = field(repr=False)
    media_type: str
    sha256: str
    width: int
    height: int


Part = Text | Picture


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The text parts, joined by blank lines."""
        return "\n\n".join(part.text for part in self.parts if isinstance(part, Text))


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the answer is drawn.

    `temperature` ≥ 0, `max_tokens` ≥ 1 counts answer tokens, `top_p` in (0, 1], `seed` any integer; None leaves a
    setting to the server. `sample` tells apart several answers to the same request; it is part of the cache key.
    `thinking` says how many of `max_tokens` are for thinking before the answer: what `ThinkingLayer` has added.
    """

    temperature: float | None = 0.0
    max_tokens: int = 1024
    top_p: float | None = None
    seed: int | None = None
    sample: int = 0
    thinking: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from: which case (its digest), paradigm and step, and what its answer is read for.

    Never sent to a server, and no part of the cache key.
    """

    case: str = ""
    paradigm: str = ""
    step: str = ""
    purpose: str = ""
    order: int = 0
    """Which case asks, counted from 0: while calls queue, those of older cases go first."""


class Observer(Protocol):
    """Hears what a request costs while the layers work on it; one for each case."""

    def on_slot(self) -> None:
        """The limiter granted a slot: the case's clock runs from the first one."""

    def on_attempt(self) -> None:
        """An attempt goes out to the provider, and counts against the budget."""

    def on_completion(self, completion: Completion) -> None:
        """An answer came, from the provider or (then `cached`) from the cache."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a backend.

    `schema` is a JSON Schema the answer should follow (the server may not honour it; callers check). `prefill` begins
    the assistant's turn for it, where the backend can. `logprobs` asks for the likeliest tokens at each place.
    `origin`, `observer` and `budget` (the case's own, a child of the run's) are transport: they do not change the
    answer and are no part of the cache key.
    """

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    schema: Mapping[str, Any] | None = None
    schema_name: str = "answer"
    prefill: str | None = None
    logprobs: bool = False
    origin: Origin = Origin()
    observer: Observer | None = field(default=None, repr=False, compare=False)
    budget: Budget | None = field(default=None, repr=False, compare=False)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture of the conversation, in order."""
        return tuple(part for message in self.messages for part in message.parts if isinstance(part, Picture))

    @property
    def prefix_end(self) -> tuple[int, int] | None:
        """The message, and the part in it, with which the beginning ends that other requests have too; None: nowhere.

        It is the first picture of the last turn that shows any (cut-outs of it may follow), unless turns before it show
        some: then these are exemplars, which stay the same from case to case, and it is the last of them.
        """
        shown = [
            [(turn, place) for place, part in enumerate(message.parts) if isinstance(part, Picture)]
            for turn, message in enumerate(self.messages)
        ]
        shown = [places for places in shown if places]
        if not shown:
            return None
        return shown[-2][-1] if len(shown) > 1 else shown[0][0]
