from __future__ import annotations

import base64
import traceback

import httpx2
import pytest

from backends import errors
from backends.completion import RateState, Stop, TokenUsage
from backends.connections import Connections
from backends.providers.anthropic import open_anthropic
from backends.request import Message, Request, Text
from backends.settings import BackendSettings

KEY = "sixlens-test-key-0123456789"
SCHEMA = {"type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"]}


def reply(text="A lamp.", stop="end_turn", **changes):
    content = [{"type": "text", "text": text}] if text is not None else []
    usage = {"input_tokens": 10, "output_tokens": 5}
    answer = {"id": "m-1", "type": "message", "role": "assistant", "model": "claude-served", "content": content}
    return {**answer, "stop_reason": stop, "usage": usage, **changes}


@pytest.fixture
def open_one(peer, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)

    def make(rest: str = "claude-haiku-4-5", **settings):
        return open_anthropic(rest, BackendSettings(**settings), connections=Connections(peer.transport))

    return make


async def test_what_goes_out(peer, open_one, request_of, picture, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1/elsewhere")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "other-secret")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Extra: other-secret\nAuthorization: other-secret")
    peer.say(reply())
    await open_one().complete(request_of(schema=SCHEMA, max_tokens=77, temperature=0.0))
    request, body = peer.requests[0], peer.bodies[0]
    assert (request.method, str(request.url)) == ("POST", "https://api.anthropic.com/v1/messages")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["anthropic-version"]
    assert "other-secret" not in str(request.headers.multi_items())
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(picture.data).decode()}
    assert body == {
        "model": "claude-haiku-4-5",
        "max_tokens": 77,
        "system": "You look closely.",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": source, "cache_control": {"type": "ephemeral"}},
                    {"type": "text", "text": "Is it real?"},
                ],
            }
        ],
        "temperature": 0.0,
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    }


async def test_the_shared_prefix_is_marked_once_at_its_end(peer, open_one, picture):
    peer.say(reply())
    messages = (
        Message("user", (picture, picture, Text("first"))),
        Message("assistant", (Text("Show me the region."),)),
        Message("user", (picture, Text("second"))),
    )
    await open_one().complete(Request(messages=messages))
    turns = peer.bodies[0]["messages"]
    marks = [(n, m) for n, turn in enumerate(turns) for m, b in enumerate(turn["content"]) if "cache_control" in b]
    assert marks == [(0, 1)]
    assert "system" not in peer.bodies[0]


async def test_no_mark_without_a_picture_or_when_switched_off(peer, open_one, request_of):
    peer.say(reply())
    await open_one().complete(request_of(pictures=()))
    await open_one(capabilities={"prefix_cache": False}).complete(request_of())
    assert "cache_control" not in str(peer.bodies)


async def test_what_comes_back(peer, open_one, request_of):
    usage = {
        "input_tokens": 40,
        "output_tokens": 9,
        "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 200,
    }
    content = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "A "},
        {"type": "text", "text": "lamp."},
    ]
    headers = {
        "request-id": "req-3",
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
    }
    peer.say(reply(content=content, usage=usage), headers=headers)
    answer = await open_one().complete(request_of())
    assert (answer.text, answer.stop, answer.model) == ("A lamp.", Stop.COMPLETE, "claude-served")
    assert answer.usage == TokenUsage(input_tokens=1240, output_tokens=9, cached_tokens=1000, cache_written_tokens=200)
    assert answer.request_id == "req-3"
    assert answer.rate == RateState(limit_requests=50, remaining_requests=49)
    assert answer.backend == "anthropic:claude-haiku-4-5"
    assert 0 < answer.seconds < 5


@pytest.mark.parametrize(
    ("stop", "text", "becomes"),
    [
        ("end_turn", "A", Stop.COMPLETE),
        ("stop_sequence", "A", Stop.COMPLETE),
        (None, "A", Stop.COMPLETE),
        ("max_tokens", "A", Stop.LENGTH),
        ("max_tokens", None, Stop.LENGTH),
        ("model_context_window_exceeded", "A", Stop.LENGTH),
        ("refusal", "A", Stop.REFUSAL),
        ("refusal", None, Stop.REFUSAL),
        ("end_turn", None, Stop.EMPTY),
        ("end_turn", " ", Stop.EMPTY),
    ],
)
async def test_why_an_answer_ended(peer, open_one, request_of, stop, text, becomes):
    peer.say(reply(text, stop))
    assert (await open_one().complete(request_of())).stop is becomes


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-opus-5", "claude-next", "m@http://127.0.0.1:1"])
def test_the_protocol_has_no_token_probabilities(open_one, model):
    assert open_one(model).capabilities.logprobs is False


async def test_settings_that_a_model_does_not_take_are_reported(peer, open_one, request_of):
    peer.say(reply())
    answer = await open_one("claude-opus-5").complete(request_of(seed=1, logprobs=True, temperature=0.0))
    assert not {"seed", "temperature", "logprobs"} & set(peer.bodies[0])
    assert answer.notes == (
        "claude-opus-5 gives no token probabilities.",
        "claude-opus-5 takes no temperature; it was left out.",
        "claude-opus-5 takes no seed; it was left out.",
    )


@pytest.mark.parametrize(
    ("message", "field", "setting"),
    [
        ("`temperature` is deprecated for this model.", "temperature", "temperature"),
        ("`temperature` and `top_p` cannot both be specified for this model.", "top_p", "top_p"),
        ("output_config.format: structured outputs are not supported.", "output_config", "output_config"),
    ],
)
async def test_a_refused_setting_is_remembered(peer, open_one, request_of, message, field, setting):
    peer.say({"type": "error", "error": {"type": "invalid_request_error", "message": message}}, 400).say(reply())
    backend = open_one("claude-new-9")
    request = request_of(schema=SCHEMA, top_p=0.5)
    with pytest.raises(errors.UnsupportedError, match=setting) as caught:
        await backend.complete(request)
    assert caught.value.transient is True
    answer = await backend.complete(request)
    assert set(peer.bodies[0]) - set(peer.bodies[1]) == {field}
    assert message.split()[0].strip("`:") in answer.notes[0]


async def test_an_answer_can_be_begun_where_the_model_can(peer, open_one, request_of):
    peer.say(reply("closely: real")).say(reply(" closely"))
    backend = open_one()
    answer = await backend.complete(request_of(prefill="Looking ", schema=SCHEMA))
    assert peer.bodies[0]["messages"][-1] == {"role": "assistant", "content": "Looking"}
    assert "output_config" not in peer.bodies[0]
    assert answer.text == "Looking closely: real"
    assert "without the schema" in answer.notes[0]
    assert (await backend.complete(request_of(prefill="Looking "))).text == "Looking closely"
    with pytest.raises(errors.UnsupportedError):
        await open_one("claude-opus-5").complete(request_of(prefill="It"))


async def test_a_model_near_its_end_raises_no_warning(peer, open_one, request_of):
    peer.say(reply())
    assert (await open_one("claude-sonnet-4-5").complete(request_of())).text == "A lamp."


async def test_effort_can_be_asked_for_beside_the_schema(peer, open_one, request_of):
    peer.say(reply())
    backend = open_one(extra={"output_config": {"effort": "low"}})
    await backend.complete(request_of(schema=SCHEMA))
    assert peer.bodies[0]["output_config"]["effort"] == "low"
    assert peer.bodies[0]["output_config"]["format"]["schema"] == SCHEMA


async def test_another_server_gets_another_key(peer, open_one, request_of, monkeypatch):
    peer.say(reply())
    backend = open_one("m@http://127.0.0.1:8000/v1/")
    await backend.complete(request_of())
    monkeypatch.setenv("SIXLENS_COMPATIBLE_API_KEY", "other-key-123456")
    await open_one("m@http://127.0.0.1:8000").complete(request_of())
    assert [request.url.path for request in peer.requests] == ["/api/show", "/v1/messages"] * 2
    first, second = peer.requests[1::2]
    assert str(first.url) == str(second.url) == "http://127.0.0.1:8000/v1/messages"
    assert "authorization" not in first.headers
    assert "x-api-key" not in first.headers
    assert second.headers["authorization"] == "Bearer other-key-123456"
    assert backend.spec == "anthropic:m@http://127.0.0.1:8000"


async def test_a_missing_key_is_one_line_that_names_the_variable(peer, open_one, request_of, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(errors.AuthError, match="ANTHROPIC_API_KEY") as caught:
        await open_one().complete(request_of())
    assert "\n" not in str(caught.value)
    assert peer.requests == []


@pytest.mark.parametrize(
    ("status", "error", "headers", "kind", "retry_after"),
    [
        (429, {"type": "rate_limit_error", "message": "slow"}, {"retry-after": "12"}, errors.RateLimitError, 12.0),
        (429, {"details": {"error_code": "enforced_spend_limit_reached"}}, {}, errors.QuotaError, None),
        (529, {"type": "overloaded_error", "message": "Overloaded"}, {}, errors.ServerError, None),
        (402, {"type": "billing_error", "message": "pay"}, {}, errors.QuotaError, None),
        (401, {"type": "authentication_error", "message": f"invalid key {KEY}"}, {}, errors.AuthError, None),
        (404, {"type": "not_found_error", "message": "model: x"}, {}, errors.InvalidRequestError, None),
        (413, {"type": "request_too_large", "message": "big"}, {}, errors.InvalidRequestError, None),
        (400, {"message": "prompt is too long: 9 > 8"}, {}, errors.ContextLengthError, None),
    ],
)
async def test_errors(peer, open_one, request_of, status, error, headers, kind, retry_after):
    peer.say({"type": "error", "error": error}, status, headers)
    with pytest.raises(errors.BackendError) as caught:
        await open_one().complete(request_of())
    assert type(caught.value) is kind
    assert caught.value.retry_after == retry_after
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert len(peer.requests) == 1


async def test_blocked_output_is_an_outcome(peer, open_one, request_of):
    peer.say({"type": "error", "error": {"message": "Output blocked by content filtering policy"}}, 400)
    assert (await open_one().complete(request_of())).stop is Stop.FILTER


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b'{"content": 5}', b'{"content": [{"text": "x"}]}', b"<html>"])
async def test_answers_that_follow_no_protocol(peer, open_one, request_of, body):
    peer.say(body)
    with pytest.raises(errors.MalformedError):
        await open_one().complete(request_of())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx2.ConnectError("refused"), errors.ConnectError),
        (httpx2.RemoteProtocolError("peer closed connection"), errors.ConnectError),
        (httpx2.ReadTimeout("slow"), errors.AttemptTimeoutError),
        (httpx2.ConnectTimeout("slow"), errors.ConnectError),
    ],
)
async def test_connections_that_fail(peer, open_one, request_of, error, kind):
    peer.answers.append(error)
    with pytest.raises(kind) as caught:
        await open_one().complete(request_of())
    assert caught.value.__cause__ is not None
    assert len(peer.requests) == 1


async def test_cut_outs_behind_the_picture_are_not_written_to_the_cache(peer, open_one, request_of, picture):
    peer.say(reply())
    await open_one().complete(request_of(pictures=(picture, picture, picture)))
    content = peer.bodies[0]["messages"][0]["content"]
    assert ["cache_control" in block for block in content] == [True, False, False, False]
