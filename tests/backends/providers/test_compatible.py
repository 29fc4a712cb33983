"""The OpenAI chat protocol as any server speaks it: what goes out, what comes back, what goes wrong."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import socket
import time

import httpx2
import pytest

from backends import errors
from backends.completion import RateState, Stop, TokenUsage
from backends.connections import Connections
from backends.providers.compatible import open_compatible
from backends.request import Message, Request, Text
from backends.settings import BackendSettings

KEY = "sixlens-test-key-0123456789"
REST = "qwen@http://127.0.0.1:8000/v1"
SCHEMA = {"type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"]}


def reply(text="A lamp.", finish="stop", **changes):
    message = {"role": "assistant", "content": text, **changes.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": finish, **changes.pop("choice", {})}
    return {"id": "c-1", "object": "chat.completion", "model": "qwen-served", "choices": [choice], **changes}


@pytest.fixture
def open_one(peer):
    def make(rest: str = REST, **settings):
        return open_compatible(rest, BackendSettings(**settings), connections=Connections(peer.transport))

    return make


async def test_what_goes_out(peer, open_one, request_of, picture, monkeypatch):
    monkeypatch.setenv("SIXLENS_COMPATIBLE_API_KEY", KEY)
    peer.say(reply())
    await open_one().complete(request_of(temperature=0.5, max_tokens=77, top_p=0.9, seed=5, sample=2))
    request, body = peer.requests[0], peer.bodies[0]
    assert (request.method, str(request.url)) == ("POST", "http://127.0.0.1:8000/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    uri = "data:image/png;base64," + base64.b64encode(picture.data).decode()
    assert body == {
        "model": "qwen",
        "messages": [
            {"role": "system", "content": "You look closely."},
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": uri}},
                    {"type": "text", "text": "Is it real?"},
                ],
            },
        ],
        "max_tokens": 77,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
    }


async def test_what_the_environment_holds_for_openai_stays_here(peer, open_one, request_of, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "openai-secret-123")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer openai-secret-123\nX-Extra: openai-secret-123")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/elsewhere")
    peer.say(reply())
    await open_one().complete(request_of())
    request = peer.requests[0]
    assert request.url.port == 8000
    assert "openai-secret-123" not in str(request.headers.multi_items())
    assert "authorization" not in request.headers


async def test_schema_logprobs_and_extra_fields(peer, open_one, request_of):
    peer.say(reply())
    backend = open_one(extra={"top_k": 1, "chat_template_kwargs": {"enable_thinking": False}})
    await backend.complete(request_of(schema=SCHEMA, schema_name="verdict", logprobs=True, temperature=None))
    body = peer.bodies[0]
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "verdict", "strict": True, "schema": SCHEMA},
    }
    assert (body["logprobs"], body["top_logprobs"]) == (True, 10)
    assert (body["top_k"], body["chat_template_kwargs"]) == (1, {"enable_thinking": False})
    assert "temperature" not in body
    assert "prompt_cache_key" not in body


async def test_extra_fields_replace_nothing(peer, open_one, request_of):
    peer.say(reply())
    with pytest.raises(errors.ConfigError, match=r"extra\.messages"):
        await open_one(extra={"messages": []}).complete(request_of())
    assert peer.requests == []


async def test_a_picture_is_the_same_bytes_in_every_call(peer, open_one, request_of):
    peer.say(reply())
    backend = open_one()
    await asyncio.gather(*(backend.complete(request_of(f"question {n}")) for n in range(9)))
    urls = {body["messages"][1]["content"][0]["image_url"]["url"] for body in peer.bodies}
    assert len(peer.bodies) == 9
    assert len(urls) == 1


async def test_vllm_takes_the_digest_as_the_name_of_a_picture(peer, open_one, request_of, picture):
    peer.say(reply())
    await open_one(capabilities={"image_uuid": True}).complete(request_of())
    part = peer.bodies[0]["messages"][1]["content"][0]
    assert part["uuid"] == picture.sha256 == hashlib.sha256(picture.data).hexdigest()


async def test_what_comes_back(peer, open_one, request_of):
    usage = {
        "prompt_tokens": 1200,
        "completion_tokens": 30,
        "total_tokens": 1230,
        "prompt_tokens_details": {"cached_tokens": 1024, "cache_write_tokens": 5, "image_tokens": 900},
    }
    headers = {
        "x-request-id": "req-9",
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-requests": "99",
        "x-ratelimit-reset-requests": "1s",
    }
    peer.say(reply(usage=usage, message={"reasoning_content": "let me think"}), headers=headers)
    answer = await open_one().complete(request_of())
    assert (answer.text, answer.stop, answer.model) == ("A lamp.", Stop.COMPLETE, "qwen-served")
    assert answer.backend == "compatible:qwen@http://127.0.0.1:8000/v1"
    assert answer.usage == TokenUsage(
        input_tokens=1200, output_tokens=30, cached_tokens=1024, cache_written_tokens=5, image_tokens=900
    )
    assert answer.request_id == "req-9"
    assert answer.rate == RateState(limit_requests=100, remaining_requests=99, reset_requests=1.0)
    assert 0 < answer.seconds < 5
    assert answer.notes == ()
    assert answer.cost is None


async def test_unknown_counts_are_unknown(peer, open_one, request_of):
    peer.say(reply(usage={"prompt_tokens": -1, "completion_tokens": "many", "prompt_tokens_details": None}))
    assert (await open_one().complete(request_of())).usage == TokenUsage()
    peer.answers.clear()
    peer.say(reply())
    assert (await open_one().complete(request_of())).usage == TokenUsage()


@pytest.mark.parametrize(
    ("answer", "text", "stop"),
    [
        (reply(), "A lamp.", Stop.COMPLETE),
        (reply(finish=None), "A lamp.", Stop.COMPLETE),
        (reply(finish="eos_token"), "A lamp.", Stop.COMPLETE),
        (reply(finish="length"), "A lamp.", Stop.LENGTH),
        (reply("", finish="length"), "", Stop.LENGTH),
        (reply(finish="content_filter"), "A lamp.", Stop.FILTER),
        (reply(None, message={"refusal": "I cannot."}), "I cannot.", Stop.REFUSAL),
        (reply(" \n"), " \n", Stop.EMPTY),
        (reply(None, finish="tool_calls"), "", Stop.EMPTY),
    ],
)
async def test_why_an_answer_ended(peer, open_one, request_of, answer, text, stop):
    peer.say(answer)
    completion = await open_one().complete(request_of())
    assert (completion.text, completion.stop) == (text, stop)


async def test_probabilities_of_tokens(peer, open_one, request_of):
    content = [
        {"token": "real", "logprob": -0.1, "bytes": [1], "top_logprobs": [{"token": "real", "logprob": -0.1}]},
        {"token": ".", "logprob": -2.0},
    ]
    peer.say(reply(choice={"logprobs": {"content": content}}))
    answer = await open_one().complete(request_of(logprobs=True))
    assert answer.logprobs is not None
    assert [place.chosen.token for place in answer.logprobs] == ["real", "."]
    assert answer.logprobs[0].likeliest[0].logprob == -0.1
    assert answer.logprobs[1].likeliest == ()


async def test_probabilities_that_are_not_given_are_reported(peer, open_one, request_of):
    peer.say(reply())
    answer = await open_one(capabilities={"logprobs": True}).complete(request_of(logprobs=True))
    assert answer.notes == ("127.0.0.1:8000 gave no token probabilities.",)
    answer = await open_one(capabilities={"logprobs": False}).complete(request_of(logprobs=True))
    assert answer.notes == ("qwen gives no token probabilities.",)
    assert "logprobs" not in peer.bodies[-1]


async def test_probabilities_that_nobody_promised_may_be_missing_in_silence(peer, open_one, request_of):
    peer.say(reply())
    answer = await open_one().complete(request_of(logprobs=True))
    assert peer.bodies[0]["logprobs"] is True
    assert (answer.logprobs, answer.notes) == (None, ())


@pytest.mark.parametrize(
    ("status", "error", "setting", "field"),
    [
        (400, {"error": {"message": "response_format is not supported"}}, "response_format", "response_format"),
        (422, {"detail": "Unexpected fields: {'response_format'}"}, "response_format", "response_format"),
        (400, {"error": {"message": "structured outputs need a grammar"}}, "response_format", "response_format"),
        (400, {"error": {"param": "temperature", "message": "Only 1 is supported"}}, "temperature", "temperature"),
        (400, {"error": {"message": "unknown argument: seed"}}, "seed", "seed"),
        (400, {"error": {"message": "top_p must be 1"}}, "top_p", "top_p"),
        (
            422,
            {"detail": [{"loc": ["body", "top_logprobs"], "msg": "top_logprobs: max 5"}]},
            "logprobs",
            "top_logprobs",
        ),
        (422, {"error": "Input validation error: `top_n_tokens` must be <= 5"}, "logprobs", "top_logprobs"),
        (403, {"error": {"message": "You may not ask this model for logprobs"}}, "logprobs", "top_logprobs"),
        (501, {"error": {"message": "logprobs are not supported here"}}, "logprobs", "top_logprobs"),
    ],
)
async def test_a_refused_setting_is_remembered_and_reported(peer, open_one, request_of, status, error, setting, field):
    peer.say(error, status).say(reply())
    backend = open_one()
    request = request_of(schema=SCHEMA, logprobs=True, seed=1, top_p=0.5)
    with pytest.raises(errors.UnsupportedError, match=setting) as caught:
        await backend.complete(request)
    assert caught.value.transient is True
    answer = await backend.complete(request)
    first, second = peer.bodies
    assert field in first
    assert field not in second
    assert {name for name in first if name not in second} <= {field, "logprobs"}
    assert any(setting in note and "left out" in note for note in answer.notes)
    await backend.complete(request)
    assert len(peer.requests) == 3


async def test_a_record_that_says_so_spares_the_refusal(peer, open_one, request_of):
    peer.say(reply())
    backend = open_one(capabilities={"json_schema": False, "refuses": ["temperature", "seed"]})
    answer = await backend.complete(request_of(schema=SCHEMA, seed=1))
    assert set(peer.bodies[0]) == {"model", "messages", "max_tokens"}
    assert len(answer.notes) == 3


@pytest.mark.parametrize(
    ("known", "error", "other"),
    [
        (
            "max_tokens",
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            "max_completion_tokens",
        ),
        ("max_completion_tokens", "Unrecognized request argument supplied: max_completion_tokens", "max_tokens"),
    ],
)
async def test_the_token_limit_has_two_names(peer, open_one, request_of, known, error, other):
    peer.say({"error": {"message": error}}, 400).say(reply())
    backend = open_one(capabilities={"max_tokens_field": known})
    with pytest.raises(errors.UnsupportedError) as caught:
        await backend.complete(request_of(max_tokens=9))
    assert caught.value.transient is True
    answer = await backend.complete(request_of(max_tokens=9))
    assert peer.bodies[1][other] == 9
    assert known not in peer.bodies[1]
    assert answer.notes == ()


async def test_several_questions_may_be_out_when_the_limits_name_is_refused(peer, open_one, request_of, monkeypatch):
    refusal = {"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}}
    peer.say(refusal, 400).say(refusal, 400).say(reply())
    backend = open_one()
    send, out = backend._send, asyncio.Barrier(2)

    async def together(body):
        await out.wait()
        return await send(body)

    with monkeypatch.context() as patch:
        patch.setattr(backend, "_send", together)
        first = await asyncio.gather(*(backend.complete(request_of()) for _ in range(2)), return_exceptions=True)
    assert [getattr(error, "learnt", None) for error in first] == [True, True]
    answer = await backend.complete(request_of())
    assert "max_completion_tokens" in peer.bodies[-1]
    assert answer.notes == ()


async def test_a_server_of_this_machine_that_was_not_started_is_said_before_anybody_asks():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    backend = open_compatible(f"m@http://127.0.0.1:{port}/v1", BackendSettings())
    with pytest.raises(errors.ConnectError, match="Is the server running"):
        await backend.prepare()
    await backend.aclose()


async def test_without_its_own_key_nobody_is_asked(peer, open_one, request_of, monkeypatch):
    monkeypatch.delenv("SIXLENS_ACME_KEY", raising=False)
    backend = open_one(key_variable="SIXLENS_ACME_KEY")
    with pytest.raises(errors.MissingKeyError, match="SIXLENS_ACME_KEY"):
        await backend.complete(request_of())
    assert peer.requests == []


async def test_a_server_that_knows_neither_name_is_not_asked_forever(peer, open_one, request_of):
    peer.say({"error": {"message": "max_tokens, max_completion_tokens: unrecognized"}}, 400)
    backend = open_one()
    with pytest.raises(errors.UnsupportedError):
        await backend.complete(request_of())
    with pytest.raises(errors.InvalidRequestError):
        await backend.complete(request_of())


async def test_a_token_limit_that_is_too_large_is_no_unknown_name(peer, open_one, request_of):
    peer.say({"error": {"message": "max_tokens is too large: 9. This model takes at most 8."}}, 400)
    with pytest.raises(errors.InvalidRequestError):
        await open_one().complete(request_of(max_tokens=9))


async def test_a_withheld_answer_is_an_outcome_and_no_error(peer, open_one, request_of):
    peer.say({"error": {"code": "content_filter", "message": "The prompt was filtered"}}, 400)
    answer = await open_one().complete(request_of())
    assert (answer.text, answer.stop) == ("", Stop.FILTER)
    assert "The prompt was filtered" in answer.notes[0]


async def test_what_a_model_cannot_take_is_refused_before_anything_is_sent(peer, open_one, request_of):
    peer.say(reply())
    with pytest.raises(errors.UnsupportedError, match="prefill"):
        await open_one().complete(request_of(prefill="Let me see"))
    with pytest.raises(errors.UnsupportedError, match="no pictures"):
        await open_one(capabilities={"images": False}).complete(request_of())
    with pytest.raises(errors.ContextLengthError, match="has room for 2000"):
        await open_one(capabilities={"context_tokens": 2000}).complete(request_of("word " * 3000))
    with pytest.raises(errors.ContextLengthError):
        await open_one(capabilities={"context_tokens": 2000}).complete(request_of(max_tokens=2000))
    assert peer.requests == []


async def test_a_prompt_that_fits_is_sent_whole(peer, open_one, request_of):
    peer.say(reply())
    await open_one(capabilities={"context_tokens": 8000}).complete(request_of("word " * 3000))
    assert peer.bodies[0]["messages"][1]["content"][1]["text"] == "word " * 3000


async def test_an_answer_can_be_begun_where_the_server_can(peer, open_one, request_of):
    peer.say(reply(" the shadow first."))
    backend = open_one(capabilities={"prefill": True})
    answer = await backend.complete(request_of(prefill="Let me look at"))
    body = peer.bodies[0]
    assert body["messages"][-1] == {"role": "assistant", "content": "Let me look at"}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert answer.text == "Let me look at the shadow first."


async def test_text_without_pictures_is_plain(peer, open_one):
    peer.say(reply())
    messages = (Message("user", (Text("one"), Text("two"))), Message("assistant", (Text("three"),)))
    await open_one().complete(Request(messages=messages))
    assert peer.bodies[0]["messages"] == [
        {"role": "user", "content": "one\n\ntwo"},
        {"role": "assistant", "content": "three"},
    ]


# ---- the model's name


async def test_the_name_of_the_only_model_is_found_out_once(peer, open_one, request_of):
    peer.list_models({"object": "list", "data": [{"id": "Qwen/Qwen2.5-VL", "owned_by": "vllm", "max_model_len": 8192}]})
    peer.say(reply())
    backend = open_one("http://127.0.0.1:8000")
    await asyncio.gather(*(backend.complete(request_of(str(n))) for n in range(4)))
    assert [request.url.path for request in peer.lookups] == ["/v1/models"]
    assert {body["model"] for body in peer.bodies} == {"Qwen/Qwen2.5-VL"}
    assert "Qwen/Qwen2.5-VL" in backend.identity
    assert backend.capabilities.context_tokens == 8192
    assert "uuid" in peer.bodies[0]["messages"][1]["content"][0]
    assert backend.capabilities.box_format == "pixels"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"data": []}, errors.InvalidRequestError),
        (200, {"data": [{"id": "a"}, {"id": "b"}]}, errors.InvalidRequestError),
        (200, {"data": [{"name": "a"}]}, errors.MalformedError),
        (200, b"<html>", errors.MalformedError),
        (404, {}, errors.InvalidRequestError),
        (500, {}, errors.InvalidRequestError),
        (401, {}, errors.AuthError),
    ],
)
async def test_a_name_that_cannot_be_found_out(peer, open_one, request_of, status, body, kind):
    peer.list_models(body, status)
    backend = open_one("http://127.0.0.1:8000")
    with pytest.raises(kind):
        await backend.complete(request_of())
    peer.list_models({"data": [{"id": "found"}]}).say(reply())
    assert (await backend.complete(request_of())).text == "A lamp."


async def test_what_a_server_says_of_a_named_model_counts(peer, open_one, request_of, picture):
    other = {"id": "other", "owned_by": "vllm", "max_model_len": 100}
    peer.list_models({"data": [other, {"id": "qwen", "owned_by": "vllm", "max_model_len": 8192}]}).say(reply())
    backend = open_one()
    before = backend.identity
    await asyncio.gather(*(backend.complete(request_of(str(n))) for n in range(4)))
    assert [request.method for request in peer.lookups] == ["GET"]
    assert (backend.capabilities.context_tokens, backend.capabilities.logprobs) == (8192, True)
    assert {body["messages"][1]["content"][0]["uuid"] for body in peer.bodies} == {picture.sha256}
    assert backend.identity == before


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"data": [{"id": "other", "owned_by": "vllm", "max_model_len": 100}]}),
        (200, {"data": []}),
        (200, {"data": [{"name": "a"}]}),
        (200, {"data": [{"id": "qwen", "max_model_len": 0}]}),
        (200, {"data": [{"id": "qwen", "max_model_len": "long"}]}),
        (200, b"<html>"),
        (200, b"[" * 100_000),
        (307, b""),
        (401, {}),
        (404, {}),
        (429, {}),
        (500, {}),
    ],
)
async def test_a_server_need_not_say_anything_of_a_named_model(peer, open_one, request_of, status, body):
    peer.list_models(body, status).say(reply())
    backend = open_one()
    for _ in range(2):
        answer = await backend.complete(request_of())
        assert (answer.text, answer.notes) == ("A lamp.", ())
    assert backend.capabilities.context_tokens is None
    assert "uuid" not in peer.bodies[0]["messages"][1]["content"][0]
    assert len(peer.lookups) == 1


@pytest.mark.parametrize(
    "problem", [httpx2.ConnectTimeout("slow"), httpx2.ReadError("reset"), httpx2.ConnectError("x")]
)
async def test_a_list_of_models_that_breaks_off_is_no_failure(peer, open_one, request_of, problem):
    peer.listed = problem
    peer.say(reply())
    assert (await open_one().complete(request_of())).text == "A lamp."


@pytest.mark.parametrize("settings", [{"connect_seconds": 0.05}, {"attempt_seconds": 0.1}])
async def test_a_slow_list_of_models_is_waited_for_once_and_not_long(peer, open_one, request_of, settings):
    async def never(request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(60)
        raise AssertionError

    peer.listed = never
    peer.say(reply())
    backend = open_one(**settings)
    started = time.perf_counter()
    for _ in range(3):
        assert (await backend.complete(request_of())).text == "A lamp."
    assert time.perf_counter() - started < 30
    assert len(peer.lookups) == 1


# ---- what goes wrong


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": "no"}',
        b'{"choices": [{"message": {"content": "\\ud83d"}}]}',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps(reply())[:-5].encode(),
    ],
)
async def test_answers_that_follow_no_protocol(peer, open_one, request_of, body):
    peer.say(body)
    with pytest.raises(errors.MalformedError) as caught:
        await open_one().complete(request_of())
    assert caught.value.transient is True
    assert "\n" not in str(caught.value)


async def test_an_error_inside_an_answer_that_says_200(peer, open_one, request_of):
    peer.say({"error": {"code": 429, "message": "slow"}}).say({"error": {"message": "boom"}}).say(reply(finish="abort"))
    backend = open_one()
    for kind in (errors.RateLimitError, errors.ServerError, errors.ServerError):
        with pytest.raises(kind):
            await backend.complete(request_of())


async def test_one_attempt_is_one_request(peer, open_one, request_of):
    peer.say({"error": "busy"}, 503, {"retry-after": "0"})
    with pytest.raises(errors.ServerError):
        await open_one().complete(request_of())
    assert len(peer.requests) == 1


async def test_redirects_are_not_followed(peer, open_one, request_of):
    peer.say(b"", 307, {"location": "http://127.0.0.1:8001/v1/chat/completions"})
    with pytest.raises(errors.InvalidRequestError, match="not followed"):
        await open_one().complete(request_of())
    assert len(peer.requests) == 1
