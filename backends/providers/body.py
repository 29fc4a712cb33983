"""The body of a request as the bytes that go out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson


def encode(body: Mapping[str, Any]) -> bytes:
    """A body as JSON. Pictures make it long, so this is not left to the SDKs, whose way takes many times as long.

    Raises:
        ValueError: a text holds half a character, which has no bytes.
    """
    try:
        return orjson.dumps(body, default=dict)
    except orjson.JSONEncodeError as error:
        raise ValueError(str(error)) from error
