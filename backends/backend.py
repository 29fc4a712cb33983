"""The protocol that every provider and every layer follows."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from backends.completion import Completion
from backends.image_tokens import ImageTokens
from backends.request import Request


class BoxFormat(StrEnum):
    """The scale in which a model family writes boxes."""

    UNIT = "unit"
    """Fractions of width and height, 0 to 1."""
    THOUSAND = "thousand"
    """Thousandths of width and height, 0 to 1000."""
    THOUSAND_Y_FIRST = "thousand_y_first"
    """Thousandths of width and height, 0 to 1000; a bare list begins with the top edge, not with the left one."""
    PIXELS = "pixels"
    """Pixels of the picture as the server resized it (`seen_size` in `backends.models`)."""


class Capabilities(BaseModel):
    """What a model can do, as far as it is known.

    None means unknown: such a setting is asked for, and when the server refuses it this is remembered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: bool = True
    json_schema: bool | None = None
    logprobs: bool | None = None
    prefill: bool = False
    prefix_cache: bool | None = None
    prefix_cache_note: str | None = None
    """Why nothing may come out of the prefix cache, where the backend knows; goes on from `No cached tokens: `."""
    cache_min_tokens: int | None = None
    """Prompts shorter than this are never cached by the provider."""
    context_tokens: int | None = None
    """Prompt and answer together."""
    thinking_tokens: int = 0
    """Tokens that the model may spend on thinking, beside those of the answer; servers count both as answer tokens."""
    image_tokens: ImageTokens | None = None
    """How the provider counts the tokens of a picture."""
    box_format: BoxFormat | None = None
    image_multiple: int | None = None
    """The server rounds the sides of pictures to multiples of this many pixels."""
    image_min_pixels: int | None = None
    """Width times height below which the server enlarges a picture, to multiples of `image_multiple`."""
    image_max_pixels: int | None = None
    """Width times height above which servers of this family resize pictures by settings of their own."""
    image_max_side: int | None = None
    """The longer side, in pixels, above which the server shrinks a picture."""
    destination: str = "this process"
    """Where pictures go, in words for people: a host, or `this process`."""
    hosted: bool = False
    """True when the picture leaves this machine."""
    missing_key: str | None = None
    """The environment variable with the key that is needed here and is not set; None when nothing is missing."""


BOX_FIELDS = ("box_format", "image_multiple", "image_min_pixels", "image_max_pixels", "image_max_side")
"""The capabilities that say together what the numbers of a box mean."""


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


@runtime_checkable
class Provider(Backend, Protocol):
    """A backend that really asks somebody: what the layers around it need to tell endpoints and accounts apart.

    `prepare` finds out once what only the server knows (the model's name, its revision, whether it passes pictures on).
    `complete` does it by itself; whoever reads `identity`, or `capabilities` before the first call, awaits it first.

    A provider may also have an `endpoint`, a string: server and model, the same however the spec string was spelled,
    and right once it is prepared. Limits on calls go by it; without one, by the spec. And it may have a number
    `most_in_flight` (or None), beyond which more calls at once gain nothing: they are held back, unless the user's
    limits for this backend say otherwise.
    """

    @property
    def identity(self) -> str:
        """Endpoint, model and revision, and whatever else of the settings changes answers. No secrets."""
        ...

    @property
    def account(self) -> str:
        """A short hash that tells accounts apart, or an empty string. It is no key and cannot be turned into one."""
        ...

    async def prepare(self) -> None:
        """Find out what only the server knows. Raises `BackendError`; may be called more than once."""
        ...
