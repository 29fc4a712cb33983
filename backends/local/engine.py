"""What the queue in front of a local model asks of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from backends.backend import Capabilities
from backends.completion import Stop, TokenPlace, TokenUsage
from backends.request import Request

Wanted = Callable[[int], bool]
"""Whether somebody still waits for the answer to the request at a place, from 0; asked from the model's thread."""


def always(place: int) -> bool:
    """Somebody waits for every answer."""
    return True


@dataclass(frozen=True, slots=True)
class Written:
    """One answer of a local model. `text` is without the prefill."""

    text: str
    stop: Stop
    usage: TokenUsage
    logprobs: tuple[TokenPlace, ...] | None = None
    notes: tuple[str, ...] = ()


class OutOfMemoryError(Exception):
    """The device has no room: for the weights, or for the batch. Never leaves `backends.local`."""


class Engine(Protocol):
    """A loaded model. Blocking, and never called from two threads at once."""

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do: what was known before it was loaded, and what showed since."""
        ...

    def write(self, requests: Sequence[Request], wanted: Wanted = always) -> list[Written]:
        """Answer all requests as one batch, in their order. Temperature, top_p and seed are the same in all.

        Once `wanted` is False for a request, nothing more is written for it: its answer may be cut off anywhere.

        Raises:
            OutOfMemoryError: the batch does not fit.
            BackendError: a request cannot be answered, for example because it exceeds the context.
        """
        ...

    def close(self) -> None:
        """Release the model's memory."""
        ...


@dataclass(frozen=True, slots=True)
class Prospect:
    """A model that can be loaded: all that its small files say of it, and how to load its weights."""

    name: str
    """What the model is called, for people and for `Completion.model`."""
    revision: str
    """What tells this checkpoint, its adapter and the way it computes from others, for the cache."""
    capabilities: Capabilities
    load: Callable[[], Engine]
    """Takes seconds to minutes.

    Raises:
        ConfigError: the weights cannot be loaded.
        OutOfMemoryError: the device has no room for them.
    """
    fetches: bool = False
    """Whether loading fetches what is not here yet."""
