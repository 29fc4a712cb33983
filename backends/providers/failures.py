"""Errors of HTTP servers and of the HTTP client, told apart once for every provider, most specific first.

| what came                                   | what it becomes                                                  |
|---------------------------------------------|------------------------------------------------------------------|
| no connection, a dropped or broken one      | `ConnectError`                                                   |
| an attempt that took too long, 408          | `AttemptTimeoutError`                                            |
| a body that is cut off or is not JSON       | `MalformedError`                                                 |
| words about the context's length (4xx, 500) | `ContextLengthError`                                             |
| 401, 403                                    | `AuthError`                                                      |
| 402, spent credit in other words            | `QuotaError`                                                     |
| 404                                         | `InvalidRequestError` naming the model                           |
| 409, 425, 499, 5xx with 529                 | `ServerError`                                                    |
| 429                                         | `RateLimitError` with what Retry-After and rate headers say    |
| 501                                         | `UnsupportedError`                                               |
| other 3xx and 4xx                           | `InvalidRequestError`                                            |

A 400, 403, 422 or 501 that names an optional setting is for the provider to learn from, and one about content is an
answer (`Stop.FILTER`); both are asked for here and decided there.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from backends.errors import (
    AttemptTimeoutError,
    AuthError,
    BackendError,
    ConnectError,
    ContextLengthError,
    InvalidRequestError,
    MalformedError,
    QuotaError,
    RateLimitError,
    ServerError,
    UnsupportedError,
)
from backends.providers.target import Target

_CONTEXT = re.compile(
    r"context[ _-]?(length|size|window)|maximum context|max_model_len|maximum model length"
    r"|exceed\w* (the )?\w* ?context"
    r"|prompt (is )?too long|too many (input |prompt )?tokens|input (is )?too long",
    re.IGNORECASE,
)
_SPENT = re.compile(
    r"insufficient[ _](quota|credits?|balance|funds)|credit balance is too low|spend[ _]?limit|out of credits"
    r"|exceeded your current quota|billing[ _]?(hard[ _]limit|not[ _]active|error|unavailable)",
    re.IGNORECASE,
)
_SPENT_FOR_GOOD = re.compile(r"insufficient_quota|spend_limit_reached")
_FILTERED = re.compile(
    r"content[ _]filter|content[ _](management[ _])?policy|moderation[ _]blocked"
    r"|safety system|responsibleaipolicyviolation",
    re.IGNORECASE,
)
_AGAIN = frozenset({409, 425, 499})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is an error: its status, its headers, and its body as text."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def message(self) -> str:
        """What the server says, out of the forms in which servers say it."""
        try:
            body = json.loads(self.text)
        except (ValueError, RecursionError):
            return "" if self.text.lstrip().startswith("<") else self.text
        return _message_in(body)

    @property
    def filtered(self) -> bool:
        """Whether a content filter stopped the request."""
        return self.status in (400, 403, 422) and bool(_FILTERED.search(self.text[:4000]))


def status_failure(reply: Reply, target: Target) -> BackendError:
    """The error for an answer that is not a success."""
    kind = _kind(reply)
    what = _hint(reply, kind, target) or f"{target.address.host} {_verb(kind, target)} ({reply.status})"
    text = f"{what}: {reply.message}" if reply.message else f"{what}."
    return target.fail(kind, text, status=reply.status, headers=reply.headers)


def transport_failure(error: Exception, target: Target) -> BackendError:
    """The error for a request that got no whole answer; `error` comes from the HTTP client or from reading."""
    host, settings = target.address.host, target.settings
    if isinstance(error, httpx2.ConnectTimeout):
        text = f"{host} could not be reached within {settings.connect_seconds:g} s.{_to_start(target)}"
        return target.fail(ConnectError, text)
    if isinstance(error, (httpx2.TimeoutException, TimeoutError)):
        text = f"{host} did not answer within {settings.attempt_seconds:g} s."
        return target.fail(AttemptTimeoutError, text)
    if isinstance(error, (httpx2.DecodingError, ValueError)):
        return target.fail(MalformedError, f"{host} answered something that cannot be read ({type(error).__name__}).")
    if isinstance(error, (httpx2.ConnectError, ssl.SSLError)):
        text = f"{host} could not be reached ({error or type(error).__name__}).{_to_start(target)}"
        return target.fail(ConnectError, text)
    if isinstance(error, (httpx2.InvalidURL, httpx2.UnsupportedProtocol)):
        return target.fail(InvalidRequestError, f"{target.address.url} is no address that can be asked.")
    return target.fail(ConnectError, f"The connection to {host} broke ({error or type(error).__name__}).")


def nobody_listens(error: BaseException) -> bool:
    """Whether the connection was refused, at every address that the host has."""
    below = error.__cause__ or error.__context__
    if isinstance(error, BaseExceptionGroup):
        return all(nobody_listens(one) for one in error.exceptions)
    return isinstance(error, ConnectionRefusedError) or (below is not None and nobody_listens(below))


def _to_start(target: Target) -> str:
    """What to do about a server of this machine that cannot be reached."""
    if not target.address.loopback:
        return ""
    if target.provider == "ollama":
        return f" Start it with `ollama serve`, and get the model with `ollama pull {target.model}`."
    return " Is the server running?"


def named_setting(reply: Reply, sent: Mapping[str, Iterable[str]]) -> str | None:
    """Which of the settings that were sent (each with the words for it) a refusal names, if it names one."""
    text = reply.text[:8000]
    return next((setting for setting, words in sent.items() if any(_has_word(text, word) for word in words)), None)


def _kind(reply: Reply) -> type[BackendError]:
    status, text = reply.status, reply.text[:8000]
    if status in (400, 413, 422, 500) and _CONTEXT.search(text):
        return ContextLengthError
    if status == 402 or (status in (400, 403, 429) and _spent(reply, text)):
        return QuotaError
    if status == 429:
        return RateLimitError
    if status in (401, 403, 407):
        return AuthError
    if status == 408:
        return AttemptTimeoutError
    if status == 501:
        return UnsupportedError
    if status >= 500 or status in _AGAIN:
        return ServerError
    return InvalidRequestError


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.IGNORECASE) is not None


def _spent(reply: Reply, text: str) -> bool:
    """Spent for good: a limit that names a moment to come back is only a rate."""
    return bool(_SPENT_FOR_GOOD.search(text)) or (bool(_SPENT.search(text)) and "retry-after" not in reply.headers)


def _verb(kind: type[BackendError], target: Target) -> str:
    verbs: dict[type[BackendError], str] = {
        AuthError: "refuses the key",
        QuotaError: "says that the account has nothing left",
        RateLimitError: "says that there are too many requests",
        ServerError: "failed",
        ContextLengthError: f"says that the prompt is too long for {target.model}",
        AttemptTimeoutError: "gave up waiting",
    }
    return verbs.get(kind, "refuses the request")


def _hint(reply: Reply, kind: type[BackendError], target: Target) -> str:
    if reply.status == 404 and target.provider == "ollama":
        return f"{target.address.host} has no model {target.model!r} (to get it: ollama pull {target.model})"
    if reply.status == 404:
        return f"{target.address.host} knows no model {target.model!r} at {target.address.url}"
    if reply.status == 413 and kind is InvalidRequestError:
        return f"The request is too large for {target.address.host}, deliver smaller pictures"
    if 300 <= reply.status < 400:
        return f"{target.address.url} sends on to another address, which is not followed; name that one"
    return ""


def _message_in(body: Any) -> str:
    """The message of an error body, in whichever of the usual fields it stands."""
    if isinstance(body, dict):
        for name in ("error", "message", "detail", "msg", "title"):
            if body.get(name):
                return _message_in(body[name])
        return ""
    if isinstance(body, list):
        return "; ".join(filter(None, (_message_in(item) for item in body[:3])))
    return body if isinstance(body, str) else ""


def wrapped(error: Exception) -> Exception:
    """What an SDK wrapped. Without it, what the SDK's own class says: it timed out, or the line broke."""
    if isinstance(error.__cause__, Exception):
        return error.__cause__
    return TimeoutError() if "Timeout" in type(error).__name__ else httpx2.NetworkError("connection error")
