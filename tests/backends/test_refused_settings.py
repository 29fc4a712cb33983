"""A setting that is only tried, through all the layers: a server that refuses it costs one attempt and no failure."""

from __future__ import annotations

from backends.connections import Connections
from backends.providers.compatible import open_compatible
from backends.settings import BackendSettings
from backends.stack import LayerPolicy, Resources, build_stack


async def test_refused_token_probabilities_are_no_failure(peer, request_of):
    choice = {"message": {"content": "Verdict: real"}, "finish_reason": "stop"}
    peer.say({"error": {"message": "logprobs is not supported"}}, 400).say({"choices": [choice]})
    provider = open_compatible("m@http://127.0.0.1:8000", BackendSettings(), connections=Connections(peer.transport))
    waits = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    backend = build_stack([provider], Resources(), LayerPolicy(sleep=sleep))
    first = await backend.complete(request_of("one", logprobs=True))
    second = await backend.complete(request_of("two", logprobs=True))
    assert (first.text, first.attempts, first.logprobs) == ("Verdict: real", 2, None)
    assert (second.text, second.attempts) == ("Verdict: real", 1)
    assert ["logprobs" in body for body in peer.bodies] == [True, False, False]
    assert waits == []
    await backend.aclose()
