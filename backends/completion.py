"""What a backend answers."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Stop(StrEnum):
    """Why the answer ended."""

    COMPLETE = "complete"
    LENGTH = "length"
    """The token limit cut it off."""
    REFUSAL = "refusal"
    """The model declined, and the protocol says so."""
    FILTER = "filter"
    """A content filter withheld it."""
    EMPTY = "empty"
    """There is no text."""


class TokenUsage(BaseModel):
    """Tokens of one call or of many, as the provider counts them. None means that it did not say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_tokens: int | None = Field(default=None, ge=0)
    """All input tokens, cached ones included."""
    output_tokens: int | None = Field(default=None, ge=0)
    cached_tokens: int | None = Field(default=None, ge=0)
    """Input tokens read from the provider's prefix cache."""
    cache_written_tokens: int | None = Field(default=None, ge=0)
    """Input tokens written to the provider's prefix cache."""
    image_tokens: int | None = Field(default=None, ge=0)


class RateState(BaseModel):
    """What a provider's rate headers say after a call; None where it did not say. Resets are in seconds from now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit_requests: int | None = None
    remaining_requests: int | None = None
    reset_requests: float | None = None
    limit_tokens: int | None = None
    remaining_tokens: int | None = None
    reset_tokens: float | None = None


class TokenChance(BaseModel):
    """How likely the model held one token at one place of its answer: natural logarithm of the probability."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str
    logprob: float


KEPT_PLACES = 64
"""How many places are kept of an answer, counted from its end, where labels stand: a stored answer stays small."""


class TokenPlace(BaseModel):
    """One place of the answer: the token that stands there, and the likeliest ones that could have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chosen: TokenChance
    likeliest: tuple[TokenChance, ...] = ()


class Completion(BaseModel):
    """One answer.

    `cost` is in US dollars, None when the price is unknown. `seconds` is how long the provider took for the attempt
    that gave the answer; an answer out of the cache keeps it. `cached` is true when no call was made for this answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    """The whole turn of the assistant, with the prefill that began it."""
    stop: Stop = Stop.COMPLETE
    model: str
    """The model that the server says it used."""
    backend: str
    """The spec of the backend that answered."""
    usage: TokenUsage = TokenUsage()
    cost: float | None = None
    seconds: float = Field(default=0.0, ge=0)
    attempts: int = Field(default=1, ge=0)
    cached: bool = False
    request_id: str | None = None
    logprobs: tuple[TokenPlace, ...] | None = None
    """One entry a token of the end of `text`, where the server offers it and it was asked for."""
    rate: RateState | None = None
    """The provider's rate headers; for the limiter, and never stored."""
    notes: tuple[str, ...] = ()
    """What the caller should know, one line each: a setting that was left out, a fallback that answered."""


def with_prefill(prefill: str | None, text: str) -> str:
    """The whole turn of an assistant whose answer was begun for it; some servers repeat the beginning, most do not."""
    return text if prefill is None or text.startswith(prefill) else prefill + text
