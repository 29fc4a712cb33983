"""About how many tokens a request has, before anybody counted them: one estimate from below, one from above.

Text: a token is seldom shorter than three bytes of UTF-8 and seldom longer than six. Pictures: as the provider says
that it counts them; where nobody says, most vision models spend a token on 28 × 28 pixels or more.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from backends.image_tokens import ImageTokens
from backends.request import Picture, Request, Text

_TURN_TOKENS = 16


class CallTokens(NamedTuple):
    """Tokens that a call hardly exceeds."""

    prompt: int
    answer: int
    """As long as the request lets it be."""

    @property
    def total(self) -> int:
        """Both together."""
        return self.prompt + self.answer


def at_least(request: Request) -> int:
    """Tokens that the prompt surely has: for refusing what cannot fit."""
    return _text_bytes(request) // 6 + 64 * len(request.pictures)


def at_most(request: Request, rule: ImageTokens | None = None) -> int:
    """Tokens that the prompt hardly exceeds: for setting enough aside. `rule` says how the model counts pictures."""
    turns = _TURN_TOKENS * (len(request.messages) + 1)
    return turns + math.ceil(_text_bytes(request) / 3) + sum(_picture_room(p, rule) for p in request.pictures)


def of_call(request: Request, rule: ImageTokens | None = None) -> CallTokens:
    """Tokens that the prompt and its answer hardly exceed. `rule` says how the model counts pictures."""
    return CallTokens(at_most(request, rule), request.sampling.max_tokens)


def _text_bytes(request: Request) -> int:
    parts = (part for message in request.messages for part in message.parts)
    return sum(len(part.text.encode()) for part in parts if isinstance(part, Text)) + len(
        (request.prefill or "").encode()
    )


def _picture_room(picture: Picture, rule: ImageTokens | None) -> int:
    if rule is not None:
        return rule.count(picture.width, picture.height)
    return max(1024, math.ceil(picture.width / 28) * math.ceil(picture.height / 28) + 64)
