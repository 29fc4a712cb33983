"""`ollama:MODEL[@URL]`: a local Ollama server through its own API, by default at `http://127.0.0.1:11434`.

Its own API and not the compatible one, because only there the context can be set. Ollama otherwise cuts a prompt that
is longer than its default context, in silence: here the context is asked for as the prompt needs it, cutting is
forbidden (`truncate`, `shift`), and an answer whose prompt filled the whole context is refused. The context only grows,
in powers of two, since Ollama loads the model anew whenever it changes.

`OLLAMA_API_KEY`, if there is one, goes to servers elsewhere and never to this machine, where nothing asks for it; a
`key_variable` of a backend goes wherever that backend is.
A model that the local server passes on to another host counts as hosted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2
from pydantic import BaseModel, ValidationError

from backends.completion import Completion, Stop, TokenUsage, with_prefill
from backends.connections import Connections, SharedClient
from backends.errors import ConfigError, ContextLengthError, MalformedError
from backends.providers.address import parse_address, split_model
from backends.providers.asking import TOP_LOGPROBS, HttpBackend, Question, Wish
from backends.providers.body import encode
from backends.providers.chat_reply import Count
from backends.providers.failures import Reply, status_failure, transport_failure
from backends.providers.shown import Shown
from backends.providers.target import CLOUD, Target, is_cloud, key_of
from backends.providers.token_places import Places, token_places
from backends.providers.transport import open_client
from backends.request import Message, Picture, Request
from backends.settings import BackendSettings
from backends.tokens import of_call

KEY_VARIABLE = "OLLAMA_API_KEY"
URL = "http://127.0.0.1:11434"
_SMALLEST_CONTEXT = 4096
_LONGEST_CONTEXT = 262_144
"""Tokens that are asked for at most where nobody says how long the model's context is. Questions are far shorter, and
the server sets memory aside for every token; one that refuses so much does not do it for lack of context."""
_MOST_IN_FLIGHT = 1
"""Ollama works on one request at a time (OLLAMA_NUM_PARALLEL); the others wait in silence, and their time runs."""


class _Tag(BaseModel):
    name: str = ""
    digest: str = ""


class _Tags(BaseModel):
    models: list[_Tag] = []


class _Message(BaseModel):
    content: str = ""


class _Reply(BaseModel):
    message: _Message
    model: str | None = None
    done_reason: str | None = None
    prompt_eval_count: Count = None
    eval_count: Count = None
    logprobs: Places = None


class OllamaBackend(HttpBackend):
    """An Ollama server."""

    def __init__(self, target: Target, shared: SharedClient) -> None:
        super().__init__(target, shared)
        self._context = _SMALLEST_CONTEXT

    @property
    def most_in_flight(self) -> int | None:
        """Calls in flight that make sense, unless somebody says how many the server takes; None in Ollama's cloud."""
        return None if is_cloud(self._target.model) else _MOST_IN_FLIGHT

    async def _find_out(self) -> Target:
        response = await self._ask("/api/show", {"model": self._target.model})
        reply = self._reply(response)
        if reply.status == 404 and "model" not in reply.message.lower():
            return self._target  # A server of the same protocol that does not describe its models.
        if not response.is_success:
            raise status_failure(reply, self._target)
        try:
            shown = Shown.model_validate_json(response.content)
        except ValidationError as error:
            text = f"{self._target.address.host} does not answer as Ollama does."
            raise self._target.fail(MalformedError, text) from error
        remote = shown.host or (CLOUD if is_cloud(self._target.model) else "")
        return replace(self._target, remote=remote, said=shown.facts, revision=await self._digest())

    async def _digest(self) -> str:
        """The first characters of the digest of the model's files, or nothing where the server does not list it."""
        response = await self._ask("/api/tags", None)
        try:
            tags = _Tags.model_validate_json(response.content).models if response.is_success else []
        except ValidationError:
            return ""
        names = {self._target.model, f"{self._target.model}:latest"}
        return next((tag.digest.removeprefix("sha256:")[:12] for tag in tags if tag.name in names), "")

    async def _ask(self, path: str, body: Mapping[str, Any] | None) -> httpx2.Response:
        url = self._target.address.url + path
        try:
            if body is None:
                return await self._client.get(url)
            return await self._client.post(url, content=encode(body), headers={"content-type": "application/json"})
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise transport_failure(error, self._target) from error

    async def _send(self, body: Mapping[str, Any]) -> httpx2.Response:
        return await self._ask("/api/chat", body)

    def _reply(self, response: httpx2.Response) -> Reply:
        return Reply(response.status_code, response.headers, response.text)

    def _question(self, request: Request) -> Question:
        sampling, target, notes = request.sampling, self._target, []
        seed = None if sampling.seed is None else sampling.seed + sampling.sample
        asked = {"temperature": sampling.temperature, "top_p": sampling.top_p, "seed": seed}
        fixed = {
            "model": target.model,
            "messages": self._messages(request),
            "stream": False,
            "truncate": False,
            "shift": False,
            "options": {"num_ctx": self._room(request), "num_predict": sampling.max_tokens},
        }
        wishes = {name: Wish({"options": {name: value}}) for name, value in asked.items() if value is not None}
        if request.schema is not None and target.facts.json_schema is False:
            notes.append(f"{target.model} follows no schema; it was asked without one.")
        elif request.schema is not None:
            words = ("invalid format", "grammar", "json schema", "structured outputs")
            wishes["schema"] = Wish({"format": dict(request.schema)}, words)
        if request.logprobs and target.facts.logprobs is False:
            notes.append(f"{target.model} gives no token probabilities.")
        elif request.logprobs:
            wishes["logprobs"] = Wish({"logprobs": True, "top_logprobs": TOP_LOGPROBS}, ("top_logprobs",))
        return self._compose(fixed, wishes, tuple(notes))

    def _room(self, request: Request) -> int:
        """The context to ask for: a power of two with room for prompt and answer, never less than asked for before."""
        needed = of_call(request, self._target.facts.image_tokens).total
        while self._context < min(needed, self._longest):
            self._context *= 2
        return min(self._context, self._longest)

    @property
    def _longest(self) -> int:
        """The longest context that is asked for."""
        limit = self._target.facts.context_tokens
        return _LONGEST_CONTEXT if limit is None else limit

    def _messages(self, request: Request) -> list[dict[str, Any]]:
        messages = [self._message(message) for message in request.messages]
        if request.prefill is not None:
            messages.append({"role": "assistant", "content": request.prefill})
        return messages

    def _message(self, message: Message) -> dict[str, Any]:
        images = [self._pictures.base64(part) for part in message.parts if isinstance(part, Picture)]
        content = {"role": message.role, "content": message.text}
        return {**content, "images": images} if images else content

    def _read(self, request: Request, response: httpx2.Response) -> Completion:
        try:
            reply = _Reply.model_validate_json(response.content)
        except ValidationError as error:
            text = f"{self._target.address.host} answered something that is not a chat answer."
            raise self._target.fail(MalformedError, text) from error
        self._check_room(reply)
        logprobs = token_places(reply.logprobs)
        offered = self._target.facts.logprobs is True and self._takes("logprobs")
        missing = request.logprobs and offered and logprobs is None
        return Completion(
            text=with_prefill(request.prefill, reply.message.content),
            stop=_stop(reply),
            model=reply.model or self._target.model,
            backend=self.spec,
            usage=TokenUsage(input_tokens=reply.prompt_eval_count, output_tokens=reply.eval_count),
            logprobs=logprobs,
            notes=(f"{self._target.address.host} gave no token probabilities.",) if missing else (),
        )

    def _check_room(self, reply: _Reply) -> None:
        """Refuse an answer whose prompt filled the context, for it may have been cut; next time there is more room."""
        limit = self._target.facts.context_tokens
        room = self._context if limit is None else min(self._context, limit)
        if self._target.remote or reply.prompt_eval_count is None or reply.prompt_eval_count < room:
            return
        text = f"The prompt filled the context of {room} tokens and may have been cut, so the answer is not used."
        failure = self._target.fail(ContextLengthError, text)
        self._outgrown(room, failure)
        raise failure

    def _refusal(self, response: httpx2.Response, question: Question, seconds: float) -> Completion:
        try:
            return super()._refusal(response, question, seconds)
        except ContextLengthError as failure:
            self._outgrown(question.body["options"]["num_ctx"], failure)
            raise

    def _outgrown(self, room: int, failure: ContextLengthError) -> None:
        """Ask for more than `room` from now on, where there may be more; then asking again helps."""
        failure.transient = room < self._longest
        if failure.transient:
            self._context = max(self._context, 2 * room)


def _stop(reply: _Reply) -> Stop:
    if reply.done_reason == "length":
        return Stop.LENGTH
    return Stop.COMPLETE if reply.message.content.strip() else Stop.EMPTY


def open_ollama(rest: str, settings: BackendSettings, *, connections: Connections | None = None) -> OllamaBackend:
    """Open `MODEL` or `MODEL@URL`.

    Raises:
        ConfigError: there is no model name, or the address is malformed.
    """
    model, url = split_model(rest)
    if not model:
        raise ConfigError("ollama: names no model; write ollama:MODEL, for example ollama:qwen2.5vl:7b.")
    address = parse_address(url or URL)
    spec = f"ollama:{model}" if url is None else f"ollama:{model}@{address.url}"
    needs, remote = settings.key_variable, CLOUD if is_cloud(model) else ""
    key = None if address.loopback and not needs else key_of(settings, KEY_VARIABLE)
    target = Target("ollama", spec, model, address, settings, key, remote=remote, needs=needs)
    return OllamaBackend(target, open_client(address, settings, key, connections=connections))
