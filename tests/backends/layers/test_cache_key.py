import dataclasses
import json
from types import MappingProxyType
from typing import Any

import pytest

from backends.layers import cache_key as module
from backends.layers.budget import Budget
from backends.layers.cache_key import TRANSPORT, cache_key
from backends.layers.relay import Relay
from backends.request import Message, Origin, Picture, Request, Sampling, Text

PICTURE = Picture(b"bytes", "image/jpeg", "ab" * 32, 640, 480)
MESSAGE = Message("user", (PICTURE, Text("Look.")))
REQUEST = Request((MESSAGE,))

OTHER: dict[type, dict[str, Any]] = {
    Request: {
        "messages": (MESSAGE, MESSAGE),
        "sampling": Sampling(seed=1),
        "schema": {"type": "object"},
        "schema_name": "other",
        "prefill": "Well,",
        "logprobs": True,
        "origin": Origin("case", "paradigm", "step"),
        "observer": Relay(None),
        "budget": Budget(),
    },
    Message: {"role": "system", "parts": (PICTURE,)},
    Text: {"text": "Look!"},
    Picture: {"data": b"else", "media_type": "image/png", "sha256": "cd" * 32, "width": 641, "height": 481},
    Sampling: {"temperature": 0.7, "max_tokens": 9, "top_p": 0.5, "seed": 7, "sample": 3, "thinking": 5},
}


def request_with(part: object) -> Request:
    """A request that contains `part`, whatever it is."""
    if isinstance(part, Request):
        return part
    if isinstance(part, Message):
        return Request((part,))
    if isinstance(part, Sampling):
        return dataclasses.replace(REQUEST, sampling=part)
    assert isinstance(part, Text | Picture)
    return Request((Message("user", (part,)),))


@pytest.mark.parametrize(
    ("original", "name"),
    [(part, name) for part in (REQUEST, MESSAGE, Text("Look."), PICTURE, Sampling()) for name in OTHER[type(part)]],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_every_field_changes_the_key_unless_it_is_named_as_transport(original: Any, name: str) -> None:
    changed = dataclasses.replace(original, **{name: OTHER[type(original)][name]})
    same = cache_key("m", request_with(original)) == cache_key("m", request_with(changed))
    assert same == (name in TRANSPORT.get(type(original), ()))


@pytest.mark.parametrize("kind", list(OTHER), ids=lambda kind: kind.__name__)
def test_a_new_field_must_be_decided_on(kind: type) -> None:
    """A field added to a request or its parts fails here until the key counts it or `TRANSPORT` names it."""
    assert {field.name for field in dataclasses.fields(kind)} == set(OTHER[kind])


def test_the_identity_of_the_model_is_in_the_key() -> None:
    assert cache_key("openai:a", REQUEST) != cache_key("openai:b", REQUEST)


def test_the_key_is_a_sha256_and_stays_what_it_is() -> None:
    """When this fails, raise `_VERSION`: stored answers would be found under keys of another meaning."""
    assert module._VERSION == 1
    assert cache_key("m", REQUEST) == "2c1db6051540b2f6fc7641844231190e1dc40faf52506df049df6556476986a2"


def test_the_order_of_a_schema_counts_since_models_fill_it_in_in_that_order() -> None:
    first = dataclasses.replace(REQUEST, schema={"reasoning": 1, "label": 2})
    second = dataclasses.replace(REQUEST, schema={"label": 2, "reasoning": 1})
    assert cache_key("m", first) != cache_key("m", second)


def test_equal_settings_have_equal_keys() -> None:
    schema = {"properties": {"label": {"type": "string"}}}
    frozen = MappingProxyType({"properties": MappingProxyType({"label": {"type": "string"}})})
    assert cache_key("m", Request((), Sampling(temperature=0, top_p=1), schema)) == cache_key(
        "m", Request((), Sampling(temperature=0.0, top_p=1.0), frozen)
    )


def test_text_cannot_pose_as_structure() -> None:
    two = Request((Message("user", (Text("a"), Text("b"))),))
    one = Request((Message("user", (Text('a"},{"text":"b'),)),))
    joined = Request((Message("user", (Text("ab"),)),))
    assert len({cache_key("m", request) for request in (two, one, joined)}) == 3


def test_a_request_of_text_alone_has_no_picture_in_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    dumps = json.dumps
    monkeypatch.setattr(json, "dumps", lambda *args, **kw: written.append(dumps(*args, **kw)) or written[-1])
    cache_key("m", Request((Message("user", (Text("Which parts has a chair?"),)),), origin=Origin("ab" * 32)))
    assert "sha256" not in written[0]
    assert "ab" * 32 not in written[0]


def test_pictures_count_by_digest_and_never_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    dumps = json.dumps
    monkeypatch.setattr(json, "dumps", lambda *args, **kw: written.append(dumps(*args, **kw)) or written[-1])
    cache_key("m", REQUEST)
    assert "ab" * 32 in written[0]
    assert "bytes" not in written[0]


@pytest.mark.parametrize("text", ["偏向真实", "\ud800", "\x00", "a" * 100_000])
def test_any_text_has_a_key(text: str) -> None:
    assert len(cache_key("m", Request((Message("user", (Text(text),)),)))) == 64


def test_what_has_no_plain_form_is_refused() -> None:
    with pytest.raises(TypeError, match="set cannot be part"):
        cache_key("m", Request((), schema={"x": {1, 2}}))
