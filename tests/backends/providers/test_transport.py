from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest

from backends.completion import RateState
from backends.connections import Connections
from backends.providers.address import parse_address
from backends.providers.transport import open_client, rate_state, request_id, retry_after
from backends.settings import BackendSettings


def _headers(**headers: str) -> httpx2.Headers:
    return httpx2.Headers({name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "1.5"}, 1.5),
        ({"retry_after": "-3"}, 0.0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "9", "retry_after_ms": "250"}, 0.25),
    ],
)
def test_retry_after_in_seconds(headers, seconds):
    assert retry_after(_headers(**headers)) == seconds


def test_retry_after_as_a_date():
    then = datetime.now(UTC) + timedelta(seconds=60)
    seconds = retry_after(_headers(retry_after=format_datetime(then, usegmt=True)))
    assert seconds is not None
    assert 57 < seconds < 62
    assert retry_after(_headers(retry_after="Wed, 21 Oct 2015 07:28:00 GMT")) == 0.0


def test_rate_headers_as_openai_writes_them():
    state = rate_state(
        _headers(
            x_ratelimit_limit_requests="500",
            x_ratelimit_remaining_requests="499",
            x_ratelimit_reset_requests="120ms",
            x_ratelimit_limit_tokens="30000",
            x_ratelimit_remaining_tokens="29000",
            x_ratelimit_reset_tokens="6m1.5s",
        )
    )
    assert state == RateState(
        limit_requests=500,
        remaining_requests=499,
        reset_requests=0.12,
        limit_tokens=30000,
        remaining_tokens=29000,
        reset_tokens=361.5,
    )


def test_rate_headers_as_anthropic_writes_them():
    moment = (datetime.now(UTC) + timedelta(seconds=30)).isoformat().replace("+00:00", "Z")
    state = rate_state(
        _headers(
            anthropic_ratelimit_requests_limit="50",
            anthropic_ratelimit_requests_remaining="0",
            anthropic_ratelimit_requests_reset=moment,
            anthropic_ratelimit_tokens_remaining="1000",
        )
    )
    assert state is not None
    assert (state.limit_requests, state.remaining_requests, state.remaining_tokens) == (50, 0, 1000)
    assert 25 < (state.reset_requests or 0) < 31
    assert state.limit_tokens is None


def test_no_rate_headers_and_unreadable_ones():
    assert rate_state(_headers(content_type="x")) is None
    assert rate_state(_headers(x_ratelimit_limit_requests="many", x_ratelimit_reset_requests="tomorrow")) is None


def test_request_ids_of_both_protocols():
    assert request_id(_headers(x_request_id="a")) == "a"
    assert request_id(_headers(request_id="b")) == "b"
    assert request_id(_headers()) is None


async def test_only_our_headers_go_out(peer):
    address = parse_address("http://127.0.0.1:9")
    peer.say({})
    shared = open_client(
        address, BackendSettings(), "key-1", also_sent=("x-mine",), connections=Connections(peer.transport)
    )
    async with shared.client as client:
        await client.get(address.url, headers={"X-Leak": "1", "Authorization": "Bearer other", "X-Mine": "yes"})
    headers = peer.requests[0].headers
    assert "x-leak" not in headers
    assert headers["authorization"] == "Bearer key-1"
    assert headers["x-mine"] == "yes"


async def test_no_key_no_authorization(peer):
    address = parse_address("http://127.0.0.1:9")
    peer.say({})
    async with open_client(address, BackendSettings(), None, connections=Connections(peer.transport)).client as client:
        await client.get(address.url, headers={"Authorization": "Bearer other"})
    assert "authorization" not in peer.requests[0].headers


def test_proxies_count_for_other_hosts_only():
    settings = BackendSettings()
    assert open_client(parse_address("https://example.org"), settings, None).client.trust_env is True
    assert open_client(parse_address("http://127.0.0.1:8000"), settings, None).client.trust_env is False
    assert open_client(parse_address("http://localhost:8000"), settings, None).client.follow_redirects is False
