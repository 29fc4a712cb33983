"""Which backends share an HTTP client, and when it is closed."""

from __future__ import annotations

import pytest

from backends.connections import Connections
from backends.registry import open_backend
from backends.settings import BackendSettings

SERVER = "http://127.0.0.1:8000/v1"


def client_of(backend):
    return backend._client


async def test_backends_of_one_server_share_a_client_until_the_last_is_closed():
    connections = Connections()
    one, two = (open_backend(f"compatible:{name}@{SERVER}", connections=connections) for name in ("a", "b"))
    client = client_of(one)
    assert client_of(two) is client
    await one.aclose()
    await one.aclose()
    assert not client.is_closed
    await two.aclose()
    assert client.is_closed


async def test_a_client_that_was_closed_is_not_given_out_again():
    connections = Connections()
    first = open_backend(f"compatible:a@{SERVER}", connections=connections)
    await first.aclose()
    second = open_backend(f"compatible:a@{SERVER}", connections=connections)
    await first.aclose()
    assert client_of(second) is not client_of(first)
    assert not client_of(second).is_closed
    await second.aclose()


@pytest.mark.parametrize(
    ("spec", "settings"),
    [
        ("compatible:a@http://127.0.0.1:8001/v1", {}),
        (f"anthropic:a@{SERVER}", {}),
        (f"compatible:a@{SERVER}", {"attempt_seconds": 5}),
        (f"compatible:a@{SERVER}", {"connect_seconds": 5}),
        (f"compatible:a@{SERVER}", {"max_connections": 5}),
    ],
)
async def test_what_differs_in_address_or_settings_is_another_client(spec, settings):
    connections = Connections()
    plain = open_backend(f"compatible:a@{SERVER}", connections=connections)
    other = open_backend(spec, BackendSettings(**settings), connections)
    assert client_of(other) is not client_of(plain)
    await plain.aclose()
    await other.aclose()


async def test_keys_are_not_shared(monkeypatch):
    connections = Connections()
    clients = []
    for key in ("sixlens-test-key-1", "sixlens-test-key-2"):
        monkeypatch.setenv("SIXLENS_COMPATIBLE_API_KEY", key)
        backend = open_backend(f"compatible:a@{SERVER}", connections=connections)
        clients.append(client_of(backend))
    assert clients[0] is not clients[1]
    assert "sixlens-test-key" not in repr(connections) + repr(vars(clients[0])["_transport"])
    for client in clients:
        await client.aclose()


async def test_facts_about_models_do_not_part_them():
    connections = Connections()
    plain = open_backend(f"compatible:a@{SERVER}", connections=connections)
    other = open_backend(
        f"compatible:b@{SERVER}", BackendSettings(capabilities={"images": False}, extra={"top_k": 1}), connections
    )
    assert client_of(other) is client_of(plain)
    await plain.aclose()
    await other.aclose()


async def test_without_connections_every_backend_has_its_own():
    one, two = (open_backend(f"compatible:{name}@{SERVER}") for name in ("a", "b"))
    assert client_of(one) is not client_of(two)
    await one.aclose()
    assert not client_of(two).is_closed
    await two.aclose()
