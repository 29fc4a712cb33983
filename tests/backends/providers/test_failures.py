"""Real exceptions of the SDKs and of their HTTP client, and what becomes of each."""

from __future__ import annotations

import json
import ssl

import anthropic
import httpx2
import openai
import pytest

from backends import errors
from backends.completion import RateState
from backends.providers.address import parse_address
from backends.providers.anthropic import SDK as ANTHROPIC
from backends.providers.chat import SDK as OPENAI
from backends.providers.failures import Reply, named_setting, status_failure
from backends.providers.target import Target
from backends.settings import BackendSettings

KEY = "sixlens-test-key-0123456789"
REQUEST = httpx2.Request("POST", "http://127.0.0.1:8000/v1/x", headers={"authorization": f"Bearer {KEY}"})
TARGET = Target(
    "compatible", "compatible:m", "model-1", parse_address("http://127.0.0.1:8000/v1"), BackendSettings(), KEY
)

STATUS = [
    # status, body, headers, becomes, transient
    (400, {"error": {"message": "bad field"}}, {}, errors.InvalidRequestError, False),
    (400, {"error": {"code": "context_length_exceeded", "message": "too long"}}, {}, errors.ContextLengthError, False),
    (400, {"message": "This model's maximum context length is 4096 tokens"}, {}, errors.ContextLengthError, False),
    (400, {"error": {"message": "prompt is too long: 210000 tokens > 200000"}}, {}, errors.ContextLengthError, False),
    (400, {"error": {"message": "Your credit balance is too low to go on"}}, {}, errors.QuotaError, False),
    (500, {"error": "the request exceeds the available context size"}, {}, errors.ContextLengthError, False),
    (401, {"error": {"message": f"wrong key {KEY}"}}, {}, errors.AuthError, False),
    (402, {"error": "pay first"}, {}, errors.QuotaError, False),
    (403, {"detail": "no right"}, {}, errors.AuthError, False),
    (404, {"error": {"message": "no such model"}}, {}, errors.InvalidRequestError, False),
    (405, {}, {}, errors.InvalidRequestError, False),
    (408, {}, {}, errors.AttemptTimeoutError, True),
    (409, {}, {}, errors.ServerError, True),
    (412, {}, {}, errors.InvalidRequestError, False),
    (413, {"error": "too large"}, {}, errors.InvalidRequestError, False),
    (413, {"error": "input exceeds the context window"}, {}, errors.ContextLengthError, False),
    (422, {"detail": [{"loc": ["body"], "msg": "unexpected"}]}, {}, errors.InvalidRequestError, False),
    (425, {}, {}, errors.ServerError, True),
    (429, {"error": "slow down"}, {}, errors.RateLimitError, True),
    (429, {"error": "slow down"}, {"retry-after": "3"}, errors.RateLimitError, True),
    (429, {"error": {"code": "insufficient_quota", "message": "x"}}, {"retry-after": "3"}, errors.QuotaError, False),
    (
        429,
        {"error": {"details": {"error_code": "x_spend_limit_reached"}}},
        {"retry-after": "3"},
        errors.QuotaError,
        False,
    ),
    (429, {"error": {"message": "You exceeded your current quota"}}, {}, errors.QuotaError, False),
    (429, {"error": {"message": "You exceeded your current quota"}}, {"retry-after": "9"}, errors.RateLimitError, True),
    (429, {"error": {"message": "Rate limit; see /account/billing"}}, {}, errors.RateLimitError, True),
    (431, {}, {}, errors.InvalidRequestError, False),
    (499, {}, {}, errors.ServerError, True),
    (500, b"<html>oops</html>", {}, errors.ServerError, True),
    (501, {}, {}, errors.UnsupportedError, False),
    (502, b"", {}, errors.ServerError, True),
    (503, b"busy", {"retry-after": "2"}, errors.ServerError, True),
    (504, {}, {}, errors.ServerError, True),
    (529, {"error": {"type": "overloaded_error", "message": "Overloaded"}}, {}, errors.ServerError, True),
    (307, b"", {"location": "http://elsewhere"}, errors.InvalidRequestError, False),
]


def _response(status: int, body: object, headers: dict[str, str]) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx2.Response(status, content=content, headers=headers, request=REQUEST)


def _sdk_error(sdk: str, response: httpx2.Response) -> Exception:
    """The exception that the SDK itself makes of a response."""
    client = (
        openai.OpenAI(api_key=KEY, base_url="http://127.0.0.1:1", http_client=httpx2.Client())
        if sdk == "openai"
        else anthropic.Anthropic(api_key=KEY, base_url="http://127.0.0.1:1", http_client=httpx2.Client())
    )
    with client:
        return client._make_status_error_from_response(response)


FAILURE = {"openai": OPENAI.failure, "anthropic": ANTHROPIC.failure}


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
@pytest.mark.parametrize(("status", "body", "headers", "becomes", "transient"), STATUS)
def test_every_status(sdk, status, body, headers, becomes, transient):
    failure = FAILURE[sdk](_sdk_error(sdk, _response(status, body, headers)), TARGET)
    assert type(failure) is becomes
    assert failure.transient is transient
    assert (failure.status, failure.provider, failure.model) == (status, "compatible", "model-1")
    assert failure.retry_after == (float(headers["retry-after"]) if "retry-after" in headers else None)
    assert KEY not in str(failure)
    assert str(failure)
    assert "\n" not in str(failure)


def test_a_missing_model_is_named():
    text = str(status_failure(Reply(404, {}, '{"error": "nope"}'), TARGET))
    assert "'model-1'" in text
    assert "http://127.0.0.1:8000/v1" in text


def test_the_request_id_is_kept():
    failure = status_failure(Reply(500, httpx2.Headers({"x-request-id": "req-7"}), ""), TARGET)
    assert failure.request_id == "req-7"


def test_the_rate_headers_of_a_refusal_are_kept():
    headers = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0", "retry-after": "2"}
    for kind, status in ((errors.RateLimitError, 429), (errors.ServerError, 503)):
        failure = status_failure(Reply(status, httpx2.Headers(headers), ""), TARGET)
        assert type(failure) is kind
        assert failure.rate == RateState(limit_requests=60, remaining_requests=0)
        assert failure.again("in other words").rate == failure.rate
    assert status_failure(Reply(429, httpx2.Headers(), ""), TARGET).rate is None
    assert errors.RateLimitError("no headers at all").rate is None


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def _connection_errors(sdk):
    connection, timeout = sdk.APIConnectionError(request=REQUEST), sdk.APITimeoutError(REQUEST)
    return [
        (connection, errors.ConnectError),
        (timeout, errors.AttemptTimeoutError),
        (_caused(sdk.APIConnectionError(request=REQUEST), httpx2.ConnectError("refused")), errors.ConnectError),
        (_caused(sdk.APIConnectionError(request=REQUEST), httpx2.ReadError("reset")), errors.ConnectError),
        (_caused(sdk.APIConnectionError(request=REQUEST), httpx2.RemoteProtocolError("cut")), errors.ConnectError),
        (_caused(sdk.APIConnectionError(request=REQUEST), ssl.SSLError("bad certificate")), errors.ConnectError),
        (_caused(sdk.APIConnectionError(request=REQUEST), httpx2.ProxyError("no")), errors.ConnectError),
        (_caused(sdk.APIConnectionError(request=REQUEST), httpx2.DecodingError("gzip")), errors.MalformedError),
        (_caused(sdk.APIConnectionError(request=REQUEST), httpx2.UnsupportedProtocol("x")), errors.InvalidRequestError),
        (_caused(sdk.APITimeoutError(REQUEST), httpx2.ConnectTimeout("slow")), errors.ConnectError),
        (_caused(sdk.APITimeoutError(REQUEST), httpx2.ReadTimeout("slow")), errors.AttemptTimeoutError),
        (sdk.APIResponseValidationError(_response(200, {}, {}), {}), errors.MalformedError),
        (json.JSONDecodeError("x", "{", 1), errors.MalformedError),
        (TimeoutError(), errors.AttemptTimeoutError),
        (httpx2.PoolTimeout("none free"), errors.AttemptTimeoutError),
        (httpx2.InvalidURL("x"), errors.InvalidRequestError),
    ]


@pytest.mark.parametrize(("error", "becomes"), _connection_errors(openai), ids=repr)
def test_connections_of_the_openai_sdk(error, becomes):
    assert type(OPENAI.failure(error, TARGET)) is becomes


@pytest.mark.parametrize(("error", "becomes"), _connection_errors(anthropic), ids=repr)
def test_connections_of_the_anthropic_sdk(error, becomes):
    assert type(ANTHROPIC.failure(error, TARGET)) is becomes


def test_a_server_on_this_machine_may_not_be_running():
    cause = httpx2.ConnectError("All connection attempts failed")
    failure = OPENAI.failure(_caused(openai.APIConnectionError(request=REQUEST), cause), TARGET)
    assert str(failure).endswith("Is the server running?")


def _subclasses(kind: type) -> set[type]:
    return {kind}.union(*(_subclasses(sub) for sub in kind.__subclasses__()))


# Exceptions that no chat request raises: other parts of the SDKs. They still become one of ours.
NOT_OF_A_CHAT = {
    "LengthFinishReasonError",
    "ContentFilterFinishReasonError",
    "SubjectTokenProviderError",
    "StreamAlreadyConsumed",
    "MutuallyExclusiveAuthError",
    "APIRemovedInV1",
    "WebSocketConnectionClosedError",
    "WebSocketQueueFullError",
    "APIWebhookValidationError",
    "RetryableError",
    "CredentialsError",
    "IdentityTokenFileError",
    "ToolsetsFixedError",
    "ToolsetContractError",
    "ToolsetConfigError",
    "ToolsetClosedError",
    "ToolsetUsageError",
    "MissingDependencyError",
    "WorkloadIdentityError",
}


@pytest.mark.parametrize(("sdk", "root"), [("openai", openai.OpenAIError), ("anthropic", anthropic.AnthropicError)])
def test_no_exception_of_an_sdk_is_unmapped(sdk, root):
    """Fails when a new version of an SDK brings an exception that the tables above do not know."""
    tables = {type(_sdk_error(sdk, _response(status, body, {}))) for status, body, *_ in STATUS}
    tables |= {type(error) for error, _ in _connection_errors({"openai": openai, "anthropic": anthropic}[sdk])}
    own = {kind for kind in _subclasses(root) if kind.__module__.split(".")[0] == sdk}
    public = {kind for kind in own if not kind.__name__.startswith("_")}
    roots = {kind for kind in public if kind.__name__ in ("APIError", "APIStatusError")} | {root}
    known = {kind for kind in public if issubclass(kind, tuple(tables - roots))} | tables | roots
    assert {kind.__name__ for kind in public - known} - NOT_OF_A_CHAT == set()


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (OPENAI.failure, openai.OpenAIError("odd")),
        (ANTHROPIC.failure, anthropic.AnthropicError("odd")),
        (ANTHROPIC.failure, anthropic.CredentialsError("none")),
        (OPENAI.failure, openai.APIError("odd", REQUEST, body=None)),
    ],
)
def test_whatever_else_an_sdk_raises_is_ours_and_final(failure, error):
    assert isinstance(failure(error, TARGET), errors.BackendError)
    assert failure(error, TARGET).transient is False


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ('{"error": {"param": "temperature", "message": "Only the default is supported"}}', "temperature"),
        ('{"error": {"message": "Invalid value for top_logprobs"}}', "logprobs"),
        ('{"detail": "Unexpected fields: {\'seed\'}"}', "seed"),
        ('{"error": "the seedling temperature_scale is unknown"}', None),
        ('{"error": "broken picture"}', None),
    ],
)
def test_a_refused_setting_is_recognised_by_whole_words(text, setting):
    sent = {"temperature": ("temperature",), "logprobs": ("logprobs", "top_logprobs"), "seed": ("seed",)}
    assert named_setting(Reply(400, {}, text), sent) == setting


@pytest.mark.parametrize(
    ("status", "text", "filtered"),
    [
        (400, '{"error": {"code": "content_filter"}}', True),
        (400, '{"error": {"code": "content_policy_violation"}}', True),
        (400, '{"error": {"message": "Output blocked by content filtering policy"}}', True),
        (400, '{"error": {"message": "rejected as a result of our safety system"}}', True),
        (500, '{"error": {"code": "content_filter"}}', False),
        (400, '{"error": {"message": "unknown field"}}', False),
    ],
)
def test_a_content_filter_is_told_from_a_wrong_request(status, text, filtered):
    assert Reply(status, {}, text).filtered is filtered


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"error": {"message": "a"}}', "a"),
        ('{"error": "b"}', "b"),
        ('{"detail": [{"msg": "c"}, {"msg": "d"}]}', "c; d"),
        ('[{"error": {"message": "e"}}]', "e"),
        ("plain words", "plain words"),
        ("<html><body>Bad gateway</body></html>", ""),
        ("", ""),
        ("[" * 100_000, "[" * 100_000),
        ('{"error": null, "message": 7}', ""),
    ],
)
def test_the_message_is_found_in_any_usual_form(body, message):
    assert Reply(400, {}, body).message == message
