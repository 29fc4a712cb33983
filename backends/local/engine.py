"""What the queue in front of a local model asks of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from backends.backend import Capabilities
from backends.completion import Stop, TokenPlace, TokenUsage
from backends.request import Request


@dataclass(frozen=True, slots=True)
class Written:
    """One answer of a local model. `text` is without the prefill."""

    text: str
    stop: Stop
    usage: TokenUsage
    logprobs: tuple[TokenPlace, ...] | None = None
    notes: tuple[str, ...] = ()


class OutOfMemoryError(Exception):
    """The device has no room for the batch; a smaller one may fit. Never leaves `backends.local`."""


class Engine(Protocol):
    """A loaded model. Blocking, and never called from two threads at once."""

    @property
    def name(self) -> str:
        """What the model is called, for people and for `Completion.model`."""
        ...

    @property
    def revision(self) -> str:
        """What tells this checkpoint, its adapters and the way it computes from others, for the cache."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do."""
        ...

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """Answer all requests as one batch, in their order. Temperature, top_p and seed are the same in all.

        Raises:
            OutOfMemoryError: the batch does not fit.
            BackendError: a request cannot be answered, for example because it exceeds the context.
        """
        ...

    def stop(self) -> None:
        """End the `write` under way soon, for nobody waits for it: it may return what it has. Later ones are not meant.

        The one method that is called from another thread, while `write` runs or just after.
        """
        ...

    def close(self) -> None:
        """Release the model's memory."""
        ...
