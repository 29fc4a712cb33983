"""The name under which an answer is stored: a hash of everything that can change it, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from backends.request import Message, Part, Picture, Request, Sampling, Text

_VERSION = 1
"""Raised when the meaning of a key changes, so that older answers are asked for again."""

TRANSPORT: Mapping[type, frozenset[str]] = {
    Request: frozenset({"origin", "observer", "budget"}),
    # The digest stands for the bytes.
    Picture: frozenset({"data"}),
    # Room for it is added behind the cache, as the model's capabilities say.
    Sampling: frozenset({"thinking"}),
}
"""The fields that are left out of the key. Every other field is in it."""


def cache_key(spec_identity: str, request: Request) -> str:
    """The key of the answer to `request`, 64 hex digits.

    Args:
        spec_identity: endpoint, model and revision, and the settings of the provider that change answers.
        request: the question; pictures count by the digest of their delivered bytes.
    """
    # The order of keys is kept, not sorted: a model fills in a schema in the order in which it stands.
    plain = [_VERSION, spec_identity, _request(request)]
    text = json.dumps(plain, default=_mapping, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _request(request: Request) -> dict[str, Any]:
    return {
        "messages": [_message(message) for message in request.messages],
        "sampling": _sampling(request.sampling),
        "schema": request.schema,
        "schema_name": request.schema_name,
        "prefill": request.prefill,
        "logprobs": request.logprobs,
    }


def _message(message: Message) -> dict[str, Any]:
    return {"role": message.role, "parts": [_part(part) for part in message.parts]}


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"text": part.text}
    return {"sha256": part.sha256, "media_type": part.media_type, "width": part.width, "height": part.height}


def _sampling(sampling: Sampling) -> dict[str, Any]:
    return {
        "temperature": _number(sampling.temperature),
        "max_tokens": sampling.max_tokens,
        "top_p": _number(sampling.top_p),
        "seed": sampling.seed,
        "sample": sampling.sample,
    }


def _number(value: float | None) -> float | None:
    """0 and 0.0 are the same setting."""
    return None if value is None else float(value)


def _mapping(value: Any) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} cannot be part of a cache key")
