"""What every provider over HTTP does alike: prepare once, check the request, ask within the time limit, map errors.

One call of `complete` is one attempt. A setting that a model turns out not to take is remembered for the life of the
backend, the attempt fails as `UnsupportedError` with `learnt` set, and the next one goes out without the setting and
says so in `Completion.notes`: a setting is refused or reported, never dropped in silence.
"""

from __future__ import annotations

import abc
import asyncio
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2

from backends.backend import Capabilities
from backends.completion import Completion, Stop
from backends.connections import SharedClient
from backends.errors import AuthError, BackendError, ConnectError, InvalidRequestError, UnsupportedError
from backends.providers.encoded import EncodedPictures
from backends.providers.failures import Reply, named_setting, nobody_listens, status_failure, transport_failure
from backends.providers.target import Target
from backends.providers.transport import request_id
from backends.request import Request
from backends.settings import add_extra

TOP_LOGPROBS = 10
_REFUSING = (InvalidRequestError, AuthError, UnsupportedError)
_REFUSING_STATUS = (400, 403, 422, 501)
"""How servers refuse a setting: 403 is OpenAI's for token probabilities of some models, 501 is llama.cpp's."""
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Question:
    """A request as it goes out: its body, the optional fields in it, and what to tell the caller about it."""

    body: dict[str, Any]
    optional: Mapping[str, tuple[str, ...]]
    """The settings that may be left out, each with the words by which a server's refusal names it."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """An optional setting: the fields that carry it, further words a server may use for it, whether it is reported."""

    fields: dict[str, Any]
    words: tuple[str, ...] = ()
    reported: bool = True


class HttpBackend(abc.ABC):
    """A provider that asks a server.

    Args:
        target: whom to ask.
        shared: the HTTP client; let go with the backend.

    """

    def __init__(self, target: Target, shared: SharedClient) -> None:
        self._target = target
        self._shared = shared
        self._client = shared.client
        self._pictures = EncodedPictures()
        self._refused: dict[str, str] = {}
        self._reached = False
        self._prepared = False
        self._preparing = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.spec}>"

    @property
    def spec(self) -> str:
        """The spec string that opens this backend."""
        return self._target.spec

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do, with what the server said after `prepare`."""
        return self._target.capabilities

    @property
    def identity(self) -> str:
        """Provider, address, model and revision."""
        return self._target.identity

    @property
    def endpoint(self) -> str:
        """Address and model; what calls are limited by."""
        return self._target.endpoint

    @property
    def account(self) -> str:
        """A short hash of the key."""
        return self._target.account

    async def prepare(self) -> None:
        """Find out what only the server knows, once.

        Raises:
            BackendError: the server does not say, or the key is missing.
        """
        if self._prepared:
            return
        self._target.check_key()
        async with self._preparing:
            if not self._prepared:
                self._target = await self._within_limit(self._find_out())
                self._prepared = True

    async def complete(self, request: Request) -> Completion:
        """Ask once.

        Raises:
            BackendError: as mapped in `backends.providers.failures`.
            ConfigError: `extra` would replace a field of the request.
        """
        await self.prepare()
        self._target.check(request)
        question = self._question(request)
        started = time.perf_counter()
        response = await self._within_limit(self._send(question.body))
        self._reached = True
        if not response.is_success:
            return self._refusal(response, question, time.perf_counter() - started)
        completion = self._read(request, response)
        notes = (*question.notes, *completion.notes)
        return completion.model_copy(update={"seconds": time.perf_counter() - started, "notes": notes})

    async def aclose(self) -> None:
        """Let go of the connections, which close with the last backend that uses them."""
        await self._shared.aclose()

    async def _within_limit(self, work: Awaitable[Found]) -> Found:
        try:
            async with asyncio.timeout(self._target.settings.attempt_seconds):
                return await work
        except TimeoutError as error:
            raise transport_failure(error, self._target) from error
        except ConnectError as error:
            if self._target.address.loopback and not self._reached and nobody_listens(error):
                # A server of this machine that has not answered before was not started; waiting does not start it.
                error.transient = False
            raise

    @abc.abstractmethod
    async def _find_out(self) -> Target:
        """The target with what the server says about it."""

    @abc.abstractmethod
    def _question(self, request: Request) -> Question:
        """The request as it goes out."""

    @abc.abstractmethod
    async def _send(self, body: Mapping[str, Any]) -> httpx2.Response:
        """Send a body and read the whole answer, whatever its status. Raises `BackendError` when none comes."""

    @abc.abstractmethod
    def _read(self, request: Request, response: httpx2.Response) -> Completion:
        """What a successful answer says. Raises `BackendError` when it follows no protocol."""

    def _takes(self, setting: str) -> bool:
        """Whether the setting has not been refused, by the record or by the server."""
        refuses: tuple[str, ...] = self._target.facts.refuses or ()
        return setting not in refuses and setting not in self._refused

    def _compose(self, fixed: Mapping[str, Any], wishes: Mapping[str, Wish], notes: tuple[str, ...] = ()) -> Question:
        """A question of the fixed fields and of those wishes that the model takes; the others become notes."""
        body, optional, left_out = dict(fixed), {}, list(notes)
        for setting, wish in wishes.items():
            if self._takes(setting):
                body = add_extra(body, wish.fields)
                optional[setting] = (setting, *wish.words)
            elif wish.reported:
                reason = self._refused.get(setting, "")
                left_out.append(f"{self._target.model} takes no {setting}; it was left out. {reason}".strip())
        return Question(add_extra(body, self._target.settings.extra), optional, tuple(left_out))

    def _refusal(self, response: httpx2.Response, question: Question, seconds: float) -> Completion:
        """The completion for an answer withheld by a filter; everything else that is no success is raised."""
        reply = Reply(response.status_code, response.headers, response.text)
        if reply.filtered:
            note = self._target.say(f"{self._target.address.host} withheld the answer: {reply.message}")
            return Completion(
                text="",
                stop=Stop.FILTER,
                model=self._target.model,
                backend=self.spec,
                seconds=seconds,
                request_id=request_id(response.headers),
                notes=(*question.notes, note),
            )
        failure = status_failure(reply, self._target)
        if isinstance(failure, _REFUSING) and reply.status in _REFUSING_STATUS:
            failure = self._learned(reply, question) or failure
        raise failure

    def _learned(self, reply: Reply, question: Question) -> BackendError | None:
        """Remember the setting that the server does not take, if it names one: the next attempt does without it."""
        setting, how = self._renamed(reply, question), "under its other name"
        if setting is None:
            setting, how = named_setting(reply, question.optional), "without it"
            if setting is None:
                return None
            self._refused[setting] = self._target.say(f"The server: {reply.message}")
        text = f"{self._target.model} takes no {setting}; the next attempt goes out {how}."
        failure = self._target.fail(UnsupportedError, text, status=reply.status, headers=reply.headers)
        failure.transient = failure.learnt = True
        return failure

    def _renamed(self, reply: Reply, question: Question) -> str | None:
        """A field that the next attempt sends under another name, if that is what the server asks for."""
        return None
