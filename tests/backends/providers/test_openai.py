from __future__ import annotations

import pytest

from backends import errors
from backends.connections import Connections
from backends.providers.openai import open_openai
from backends.settings import BackendSettings

KEY = "sixlens-test-key-0123456789"
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def reply(text="A lamp."):
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"id": "c-1", "object": "chat.completion", "model": "gpt-served", "choices": [choice]}


@pytest.fixture
def open_one(peer, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def make(model: str = "gpt-4o", **settings):
        return open_openai(model, BackendSettings(**settings), connections=Connections(peer.transport))

    return make


async def test_what_goes_out(peer, open_one, request_of, picture, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/elsewhere")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-7")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer other\nX-Extra: 1")
    peer.say(reply())
    answer = await open_one().complete(request_of(schema=SCHEMA, logprobs=True, max_tokens=50))
    request, body = peer.requests[0], peer.bodies[0]
    assert str(request.url) == "https://api.openai.com/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["openai-organization"] == "org-7"
    assert "x-extra" not in request.headers
    assert set(body) == {
        "model",
        "messages",
        "max_completion_tokens",
        "temperature",
        "response_format",
        "logprobs",
        "top_logprobs",
        "prompt_cache_key",
    }
    assert body["max_completion_tokens"] == 50
    assert body["prompt_cache_key"] == picture.sha256[:32]
    assert "uuid" not in body["messages"][1]["content"][0]
    assert answer.backend == "openai:gpt-4o"


async def test_the_calls_of_one_case_share_a_cache_key(peer, open_one, request_of):
    peer.say(reply())
    backend = open_one()
    for question in ("one", "two"):
        await backend.complete(request_of(question))
    await backend.complete(request_of(pictures=()))
    first, second, text_only = peer.bodies
    assert first["prompt_cache_key"] == second["prompt_cache_key"]
    assert "prompt_cache_key" not in text_only


async def test_a_reasoning_model_is_asked_without_sampling_settings_and_says_so(peer, open_one, request_of):
    peer.say(reply())
    answer = await open_one("gpt-5-mini").complete(request_of(logprobs=True, temperature=0.0, top_p=0.9))
    assert set(peer.bodies[0]) == {"model", "messages", "max_completion_tokens", "prompt_cache_key"}
    assert answer.notes == (
        "gpt-5-mini gives no token probabilities.",
        "gpt-5-mini takes no top_p; it was left out.",
        "gpt-5-mini takes no temperature; it was left out.",
    )


async def test_the_user_knows_better(peer, open_one, request_of):
    peer.say(reply())
    known = {"refuses": [], "logprobs": True}
    backend = open_one("gpt-5", extra={"reasoning_effort": "none"}, capabilities=known)
    await backend.complete(request_of(temperature=0.0, logprobs=True))
    body = peer.bodies[0]
    assert (body["temperature"], body["logprobs"], body["reasoning_effort"]) == (0.0, True, "none")


async def test_a_begun_answer_is_refused(peer, open_one, request_of):
    with pytest.raises(errors.UnsupportedError):
        await open_one().complete(request_of(prefill="It"))


async def test_a_missing_key_is_one_line_that_names_the_variable(peer, open_one, request_of, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    backend = open_one()
    assert backend.capabilities.destination == "api.openai.com"
    for ask in (backend.prepare(), backend.complete(request_of())):
        with pytest.raises(errors.AuthError, match="OPENAI_API_KEY") as caught:
            await ask
        assert "\n" not in str(caught.value)
    assert peer.requests == []


async def test_spent_money_is_not_a_rate_limit(peer, open_one, request_of):
    error = {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}}
    peer.say(error, 429, {"retry-after": "1"})
    with pytest.raises(errors.QuotaError) as caught:
        await open_one().complete(request_of())
    assert caught.value.transient is False


async def test_newer_models_get_a_mark_where_the_shared_beginning_ends(peer, open_one, request_of, picture):
    peer.say(reply())
    backend = open_one("gpt-5.6-sol")
    await backend.complete(request_of(pictures=(picture, picture)))
    await backend.complete(request_of(pictures=()))
    shown, text = peer.bodies
    marks = ["prompt_cache_breakpoint" in part for part in shown["messages"][1]["content"]]
    assert marks == [True, False, False]
    assert shown["messages"][1]["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit"}
    assert shown["prompt_cache_options"] == text["prompt_cache_options"] == {"mode": "explicit"}


@pytest.mark.parametrize("name", ["prompt_cache_options", "prompt_cache_breakpoint"])
async def test_refused_marks_are_left_out_and_said(peer, open_one, request_of, name):
    peer.say({"error": {"message": f"Unsupported parameter: '{name}'", "param": name}}, 400).say(reply())
    backend = open_one("gpt-5.6-sol")
    with pytest.raises(errors.UnsupportedError) as caught:
        await backend.complete(request_of())
    assert caught.value.learnt
    answer = await backend.complete(request_of())
    assert "prompt_cache_o" not in str(peer.bodies[1])
    assert "prompt_cache_b" not in str(peer.bodies[1])
    assert "takes no prompt_cache_options" in answer.notes[0]


async def test_older_models_get_no_mark(peer, open_one, request_of):
    peer.say(reply())
    await open_one("gpt-5.5").complete(request_of())
    assert "prompt_cache_options" not in peer.bodies[0]
    assert "prompt_cache_breakpoint" not in str(peer.bodies[0])


async def test_a_key_of_its_own(peer, open_one, request_of, monkeypatch):
    with pytest.raises(errors.MissingKeyError, match="SIXLENS_SECOND_KEY"):
        await open_one(key_variable="SIXLENS_SECOND_KEY").complete(request_of())
    monkeypatch.setenv("SIXLENS_SECOND_KEY", "second-key-123456")
    peer.say(reply())
    await open_one(key_variable="SIXLENS_SECOND_KEY").complete(request_of())
    assert peer.requests[0].headers["authorization"] == "Bearer second-key-123456"
