from __future__ import annotations

import json
from types import MappingProxyType

import pytest

from backends.providers.body import encode


def test_it_is_json_in_the_order_given_and_without_padding() -> None:
    body = {"model": "m", "b": [1, 2.5, None, True], "a": {"text": "naïve «生»\n"}}
    assert encode(body) == json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def test_any_mapping_will_do() -> None:
    assert encode({"schema": MappingProxyType({"type": "object"})}) == b'{"schema":{"type":"object"}}'


def test_half_a_character_has_no_bytes() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        encode({"text": "\ud83d"})
