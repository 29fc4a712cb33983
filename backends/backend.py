"""The protocol that every provider and every layer follows."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from backends.completion import Completion
from backends.request import Request


class BoxFormat(StrEnum):
    """The scale in which a model family writes boxes."""

    UNIT = "unit"
    """Fractions of width and height, 0 to 1."""
    THOUSAND = "thousand"
    """Thousandths of width and height, 0 to 1000."""
    PIXELS = "pixels"
    """Pixels of the delivered picture."""


class Capabilities(BaseModel):
    """What a model can do, as far as it is known. None means unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: bool = True
    json_schema: bool = False
    logprobs: bool = False
    prefill: bool = False
    prefix_cache: bool = False
    context_tokens: int | None = None
    box_format: BoxFormat | None = None
    destination: str = "this process"
    """Where pictures go, in words for people: a host, or `this process`."""
    hosted: bool = False
    """True when the picture leaves this machine."""


@runtime_checkable
class Backend(Protocol):
    """Answers a `Request` with a `Completion`.

    `complete` raises `BackendError` or `BudgetError`; a refusal is a `Completion`, not an error. `aclose` releases what
    the backend holds and may be called more than once.
    """

    @property
    def spec(self) -> str:
        """The spec string that opens this backend, without secrets."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do."""
        ...

    async def complete(self, request: Request) -> Completion:
        """Answer the request."""
        ...

    async def aclose(self) -> None:
        """Release connections and files."""
        ...
