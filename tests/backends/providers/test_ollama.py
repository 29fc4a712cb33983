from __future__ import annotations

import asyncio
import base64

import httpx2
import pytest

from backends import errors
from backends.completion import Stop, TokenUsage
from backends.connections import Connections
from backends.providers.ollama import open_ollama
from backends.registry import open_backend
from backends.request import Message, Request, Text
from backends.settings import BackendSettings

SCHEMA = {"type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"]}
SHOWN = {
    "capabilities": ["completion", "vision"],
    "model_info": {"general.architecture": "qwen25vl", "qwen25vl.context_length": 32768},
}
TAGS = {
    "models": [{"name": "other:latest", "digest": "sha256:0"}, {"name": "qwen2.5vl:7b", "digest": "abcdef0123456789"}]
}


def reply(text="A lamp.", **changes):
    answer = {"model": "qwen2.5vl:7b", "message": {"role": "assistant", "content": text}, "done": True}
    return {**answer, "done_reason": "stop", "prompt_eval_count": 900, "eval_count": 7, **changes}


@pytest.fixture
def open_one(peer):
    def make(rest: str = "qwen2.5vl:7b", shown=SHOWN, tags=TAGS, **settings):
        peer.say(shown).say(tags)
        return open_ollama(rest, BackendSettings(**settings), connections=Connections(peer.transport))

    return make


async def test_what_goes_out(peer, open_one, request_of, picture):
    backend = open_one()
    peer.say(reply())
    await backend.complete(request_of(schema=SCHEMA, max_tokens=77, temperature=0.2, top_p=0.9, seed=4, sample=1))
    assert [(request.method, request.url.path) for request in peer.requests] == [
        ("POST", "/api/show"),
        ("GET", "/api/tags"),
        ("POST", "/api/chat"),
    ]
    assert peer.requests[2].url.port == 11434
    assert peer.bodies[0] == {"model": "qwen2.5vl:7b"}
    assert peer.bodies[1] == {
        "model": "qwen2.5vl:7b",
        "messages": [
            {"role": "system", "content": "You look closely."},
            {"role": "user", "content": "Is it real?", "images": [base64.b64encode(picture.data).decode()]},
        ],
        "stream": False,
        "truncate": False,
        "shift": False,
        "options": {"num_ctx": 4096, "num_predict": 77, "temperature": 0.2, "top_p": 0.9, "seed": 5},
        "format": SCHEMA,
    }


async def test_what_comes_back(peer, open_one, request_of):
    backend = open_one()
    logprobs = [{"token": "A", "logprob": -0.5, "top_logprobs": [{"token": "A", "logprob": -0.5}]}]
    peer.say(reply(logprobs=logprobs, message={"content": "A lamp.", "thinking": "hm"}))
    answer = await backend.complete(request_of(logprobs=True))
    assert (answer.text, answer.stop, answer.backend) == ("A lamp.", Stop.COMPLETE, "ollama:qwen2.5vl:7b")
    assert answer.usage == TokenUsage(input_tokens=900, output_tokens=7)
    assert answer.logprobs is not None
    assert answer.logprobs[0].likeliest[0].token == "A"
    assert 0 < answer.seconds < 5
    body = peer.bodies[-1]
    assert (body["logprobs"], body["top_logprobs"]) == (True, 10)


@pytest.mark.parametrize(
    ("settings", "notes"),
    [
        ({}, ()),
        ({"capabilities": {"logprobs": True}}, ("127.0.0.1:11434 gave no token probabilities.",)),
        ({"capabilities": {"logprobs": False}}, ("qwen2.5vl:7b gives no token probabilities.",)),
    ],
)
async def test_probabilities_may_be_missing(peer, open_one, request_of, settings, notes):
    backend = open_one(**settings)
    peer.say(reply())
    assert (await backend.complete(request_of(logprobs=True))).notes == notes


async def test_refused_probabilities_are_not_asked_for_again(peer, open_one, request_of):
    backend = open_one()
    peer.say({"error": "logprobs are not supported by this model"}, 400).say(reply())
    with pytest.raises(errors.UnsupportedError) as caught:
        await backend.complete(request_of(logprobs=True))
    assert caught.value.transient is True
    answer = await backend.complete(request_of(logprobs=True))
    assert "logprobs" not in peer.bodies[-1]
    assert "takes no logprobs" in answer.notes[0]


@pytest.mark.parametrize(
    ("changes", "stop"),
    [({"done_reason": "length"}, Stop.LENGTH), ({"message": {"content": " "}}, Stop.EMPTY), ({}, Stop.COMPLETE)],
)
async def test_why_an_answer_ended(peer, open_one, request_of, changes, stop):
    backend = open_one()
    peer.say(reply(**changes))
    assert (await backend.complete(request_of())).stop is stop


async def test_the_context_grows_with_the_prompt_and_never_shrinks(peer, open_one, request_of):
    backend = open_one()
    peer.say(reply())
    for words in (10, 4000, 10, 25_000):
        await backend.complete(request_of("word " * words, max_tokens=100))
    assert [body["options"]["num_ctx"] for body in peer.bodies[1:]] == [4096, 8192, 8192, 32768]


async def test_a_prompt_beyond_the_model_is_not_sent(peer, open_one, request_of):
    backend = open_one()
    with pytest.raises(errors.ContextLengthError, match="32768"):
        await backend.complete(request_of("word " * 60_000))
    assert len(peer.requests) == 2


async def test_an_answer_whose_prompt_filled_the_context_is_not_used(peer, open_one, request_of):
    backend = open_one()
    peer.say(reply(prompt_eval_count=4096)).say(reply(prompt_eval_count=5000))
    with pytest.raises(errors.ContextLengthError) as caught:
        await backend.complete(request_of())
    assert caught.value.transient is True
    assert (await backend.complete(request_of())).usage.input_tokens == 5000
    assert peer.bodies[-1]["options"]["num_ctx"] == 8192


async def test_a_prompt_that_fills_the_whole_model_is_final(peer, open_one, request_of):
    backend = open_one(shown={"model_info": {"x.context_length": 2048}})
    peer.say(reply(prompt_eval_count=2048))
    with pytest.raises(errors.ContextLengthError) as caught:
        await backend.complete(request_of(max_tokens=10))
    assert caught.value.transient is False
    assert peer.bodies[-1]["options"]["num_ctx"] == 2048


async def test_a_model_that_is_not_there_says_how_to_get_it(peer, open_one, request_of):
    peer.say({"error": "model 'qwen2.5vl:7b' not found"}, 404)
    backend = open_one()
    with pytest.raises(errors.InvalidRequestError, match=r"ollama pull qwen2\.5vl:7b") as caught:
        await backend.complete(request_of())
    assert "\n" not in str(caught.value)


async def test_a_model_that_does_not_see_is_refused(peer, open_one, request_of):
    backend = open_one(shown={"capabilities": ["completion"], "model_info": {}})
    peer.say(reply())
    with pytest.raises(errors.UnsupportedError, match="takes no pictures"):
        await backend.complete(request_of())
    assert (await backend.complete(request_of(pictures=()))).text == "A lamp."


async def test_identity_names_the_revision_after_prepare(peer, open_one):
    backend = open_one()
    before = backend.identity
    await asyncio.gather(backend.prepare(), backend.prepare())
    await backend.prepare()
    assert backend.identity == before.replace("|qwen2.5vl:7b||", "|qwen2.5vl:7b|abcdef012345|")
    assert backend.identity != before
    assert len(peer.requests) == 2


async def test_a_model_that_the_server_passes_on_is_hosted(peer, open_one):
    backend = open_one(
        "gpt-oss", shown={**SHOWN, "remote_host": "https://ollama.com:443", "remote_model": "gpt-oss:120b"}
    )
    assert backend.capabilities.hosted is False
    await backend.prepare()
    assert backend.capabilities.hosted is True
    assert backend.capabilities.destination == "ollama.com (through 127.0.0.1:11434)"


async def test_a_cloud_tag_is_hosted_before_anybody_is_asked(open_one):
    for name in ("qwen3-vl:235b-cloud", "qwen3-vl:cloud"):
        assert open_one(name).capabilities.hosted is True


async def test_the_key_goes_to_servers_elsewhere_only(peer, open_one, request_of, monkeypatch):
    monkeypatch.setenv("OLLAMA_API_KEY", "ollama-key-123456")
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:1")
    await open_one().prepare()
    await open_one("m@https://ollama.com").prepare()
    here, elsewhere = peer.requests[0], peer.requests[-1]
    assert "authorization" not in here.headers
    assert here.url.port == 11434
    assert elsewhere.headers["authorization"] == "Bearer ollama-key-123456"


async def test_a_key_of_its_own_goes_to_this_machine_too_and_is_needed(peer, open_one, request_of, monkeypatch):
    monkeypatch.delenv("SIXLENS_ACME_KEY", raising=False)
    backend = open_one(key_variable="SIXLENS_ACME_KEY")
    assert backend.capabilities.missing_key == "SIXLENS_ACME_KEY"
    with pytest.raises(errors.MissingKeyError, match="SIXLENS_ACME_KEY"):
        await backend.complete(request_of())
    assert peer.requests == []
    monkeypatch.setenv("SIXLENS_ACME_KEY", "acme-key-123456")
    await open_one(key_variable="SIXLENS_ACME_KEY").prepare()
    assert peer.requests[0].headers["authorization"] == "Bearer acme-key-123456"


async def test_a_refused_schema_is_remembered(peer, open_one, request_of):
    backend = open_one()
    peer.say({"error": 'invalid format: "x"; expected "json" or a JSON schema'}, 400).say(reply())
    with pytest.raises(errors.UnsupportedError) as caught:
        await backend.complete(request_of(schema=SCHEMA))
    assert caught.value.transient is True
    answer = await backend.complete(request_of(schema=SCHEMA))
    assert "format" not in peer.bodies[-1]
    assert "left out" in answer.notes[0]


async def test_a_broken_picture_is_no_refused_schema(peer, open_one, request_of):
    backend = open_one()
    peer.say({"error": "unknown image format"}, 400)
    with pytest.raises(errors.InvalidRequestError, match="unknown image format"):
        await backend.complete(request_of(schema=SCHEMA))


async def test_an_answer_can_be_begun_if_the_user_says_so(peer, open_one, request_of):
    backend = open_one(capabilities={"prefill": True})
    peer.say(reply(" real."))
    answer = await backend.complete(request_of(prefill="It is"))
    assert peer.bodies[-1]["messages"][-1] == {"role": "assistant", "content": "It is"}
    assert answer.text == "It is real."


async def test_extra_options_are_merged(peer, open_one, request_of):
    backend = open_one(extra={"think": False, "options": {"top_k": 1}})
    peer.say(reply())
    await backend.complete(request_of())
    assert peer.bodies[-1]["think"] is False
    assert peer.bodies[-1]["options"]["top_k"] == 1
    with pytest.raises(errors.ConfigError, match=r"extra\.num_ctx"):
        await open_one(extra={"options": {"num_ctx": 512}}).complete(request_of())


async def test_text_parts_are_joined(peer, open_one):
    backend = open_one()
    peer.say(reply())
    await backend.complete(Request(messages=(Message("user", (Text("one"), Text("two"))),)))
    assert peer.bodies[-1]["messages"] == [{"role": "user", "content": "one\n\ntwo"}]


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b'{"message": 5}', b"[]"])
async def test_answers_that_follow_no_protocol(peer, open_one, request_of, body):
    backend = open_one()
    peer.say(body)
    with pytest.raises(errors.MalformedError):
        await backend.complete(request_of())


async def test_something_else_listens_there(peer, request_of):
    peer.say(b"<html>hello</html>")
    backend = open_ollama("m", BackendSettings(), connections=Connections(peer.transport))
    with pytest.raises(errors.MalformedError, match="does not answer as Ollama"):
        await backend.complete(request_of())


async def test_models_may_not_be_described(peer, request_of):
    peer.say({"error": {"message": "Not found"}}, 404).say(reply())
    backend = open_ollama("m", BackendSettings(), connections=Connections(peer.transport))
    assert (await backend.complete(request_of())).text == "A lamp."
    assert backend.capabilities.context_tokens is None


async def test_the_list_of_models_may_be_missing(peer, open_one, request_of):
    backend = open_one(tags=["no list"])
    peer.say(reply())
    assert (await backend.complete(request_of())).text == "A lamp."


async def test_connections_that_fail(peer, open_one, request_of):
    backend = open_one()
    peer.answers += [httpx2.ConnectError("refused"), httpx2.ReadTimeout("slow"), httpx2.ReadError("reset")]
    for kind in (errors.ConnectError, errors.AttemptTimeoutError, errors.ConnectError):
        with pytest.raises(kind):
            await backend.complete(request_of())


@pytest.mark.parametrize(
    "spec",
    [
        "compatible:gpt-oss:120b-Cloud@http://127.0.0.1:11434/v1",
        "anthropic:kimi-k2:cloud@http://127.0.0.1:11434",
        "ollama:gpt-oss:120b-CLOUD",
    ],
)
def test_a_cloud_tag_counts_as_hosted_in_every_protocol(spec: str) -> None:
    capabilities = open_backend(spec).capabilities
    assert capabilities.hosted
    assert "ollama.com" in capabilities.destination


async def test_a_refusal_for_lack_of_context_asks_for_more(peer, open_one, request_of):
    backend = open_one()
    peer.say({"error": "the input length exceeds the context length"}, 400).say(reply())
    with pytest.raises(errors.ContextLengthError) as caught:
        await backend.complete(request_of())
    assert caught.value.transient is True
    await backend.complete(request_of())
    assert [body["options"]["num_ctx"] for body in peer.bodies[1:]] == [4096, 8192]


async def test_a_refusal_at_the_models_own_limit_is_final(peer, open_one, request_of):
    backend = open_one(shown={"model_info": {"x.context_length": 4096}})
    peer.say({"error": "the input length exceeds the context length"}, 400)
    with pytest.raises(errors.ContextLengthError) as caught:
        await backend.complete(request_of())
    assert caught.value.transient is False


@pytest.mark.parametrize("words", [10, 200_000])
async def test_a_model_of_unknown_length_is_not_asked_for_more_and_more(peer, open_one, request_of, words):
    backend = open_one(shown={"model_info": {}})
    peer.say({"error": "the input length exceeds the context length"}, 400)
    transient = []
    for _ in range(9):
        with pytest.raises(errors.ContextLengthError) as caught:
            await backend.complete(request_of("word " * words))
        transient.append(caught.value.transient)
    contexts = [body["options"]["num_ctx"] for body in peer.bodies[1:]]
    assert transient == [context < 262_144 for context in contexts]
    assert contexts[-3:] == [262_144] * 3


async def test_a_thinking_model_gets_room_for_it(peer, open_one):
    backend = open_one(shown={"capabilities": ["vision", "thinking"], "model_info": {}})
    await backend.prepare()
    assert backend.capabilities.thinking_tokens == 4096


@pytest.mark.parametrize(("model", "most"), [("qwen2.5vl:7b", 1), ("qwen3-vl:235b-cloud", None)])
def test_one_call_at_a_time_but_in_the_cloud(open_one, model, most):
    assert open_one(model).most_in_flight == most
