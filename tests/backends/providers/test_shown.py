"""Where pictures really go: an Ollama server of this machine may pass a model on, in whatever protocol it is asked."""

from __future__ import annotations

import httpx2
import pytest

from backends.connections import Connections
from backends.providers.anthropic import open_anthropic
from backends.providers.compatible import open_compatible
from backends.providers.ollama import open_ollama
from backends.settings import BackendSettings

OPENERS = {
    "ollama": (open_ollama, "mine@http://127.0.0.1:11434"),
    "compatible": (open_compatible, "mine@http://127.0.0.1:11434/v1"),
    "anthropic": (open_anthropic, "mine@http://127.0.0.1:11434"),
}


@pytest.fixture
def open_as(peer):
    peer.list_models({"data": [{"id": "mine", "owned_by": "library"}]})

    def make(provider: str, **settings):
        opener, rest = OPENERS[provider]
        return opener(rest, BackendSettings(**settings), connections=Connections(peer.transport))

    return make


@pytest.mark.parametrize("provider", OPENERS)
async def test_a_model_that_is_passed_on_counts_as_hosted(peer, open_as, provider):
    peer.say({"remote_host": "https://ollama.com:443"}).say({"models": []})
    backend = open_as(provider)
    await backend.prepare()
    assert (backend.capabilities.hosted, backend.capabilities.destination) == (
        True,
        "ollama.com (through 127.0.0.1:11434)",
    )


@pytest.mark.parametrize("provider", ["compatible", "anthropic"])
@pytest.mark.parametrize(
    "answer", [httpx2.Response(404, json={}), httpx2.Response(200, json=[]), httpx2.ConnectError("no")]
)
async def test_a_server_that_does_not_say_is_asked_all_the_same(peer, open_as, provider, answer):
    peer.answers.append(answer)
    backend = open_as(provider)
    await backend.prepare()
    assert backend.capabilities.hosted is False


@pytest.mark.parametrize("provider", OPENERS)
async def test_a_gateway_counts_as_what_it_is_named(open_as, provider):
    backend = open_as(provider, remote="api.openai.com")
    assert backend.capabilities.hosted is True
    assert backend.capabilities.destination == "api.openai.com (through 127.0.0.1:11434)"
