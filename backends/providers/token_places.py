"""Token probabilities as the OpenAI chat protocol and Ollama both write them: a list with one entry a token.

They are asked of servers that never promised any, so what cannot be read is no reason to lose the answer: it counts as
not given. So does a list without alternatives, which says nothing about the other label.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from backends.completion import KEPT_PLACES, TokenChance, TokenPlace

_LOWEST = -9999.0


def _bounded(value: float) -> float:
    """A logarithm that JSON can hold: servers write -Infinity for what a grammar forbids."""
    if math.isnan(value):
        raise ValueError("not a number")
    return min(max(value, _LOWEST), 0.0)


def or_none(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """What a field holds, or None when it cannot be read; for `WrapValidator`."""
    try:
        return read(value)
    except ValidationError:
        return None


class _Chance(BaseModel):
    token: str
    logprob: Annotated[float, AfterValidator(_bounded)]


class Place(_Chance):
    """One token of the answer, as a server writes it."""

    top_logprobs: list[_Chance] | None = None


Places = Annotated[list[Place] | None, WrapValidator(or_none)]
"""A field of a server's answer: None where it is missing or cannot be read."""


def token_places(places: Sequence[Place] | None) -> tuple[TokenPlace, ...] | None:
    """The last places of an answer, or None when nothing is known of its tokens."""
    last = (places or ())[-KEPT_PLACES:]
    if not any(place.top_logprobs for place in last):
        return None
    return tuple(
        TokenPlace(
            chosen=TokenChance(token=place.token, logprob=place.logprob),
            likeliest=tuple(TokenChance(token=c.token, logprob=c.logprob) for c in place.top_logprobs or ()),
        )
        for place in last
    )
