"""`anthropic:MODEL`: Anthropic's Messages API on the official SDK, with the key of `ANTHROPIC_API_KEY`.

`anthropic:MODEL@URL` asks another server of the protocol; it gets the key of `SIXLENS_COMPATIBLE_API_KEY`, if there
is one, and never Anthropic's. `ANTHROPIC_BASE_URL` does not count: where pictures go is read in the spec string.

The prefix that a case's calls share (system text, then the picture) is marked for the provider's cache by one
`cache_control` at that picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2
from anthropic import (
    AnthropicError,
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    AsyncAnthropic,
)
from pydantic import BaseModel, ValidationError

from backends.completion import Completion, Stop, TokenUsage
from backends.connections import Connections, SharedClient
from backends.errors import ConfigError, MalformedError
from backends.providers.address import parse_address, split_model
from backends.providers.asking import HttpBackend, Question, Wish
from backends.providers.chat_reply import Count
from backends.providers.sdk import Sdk
from backends.providers.shown import remote_host
from backends.providers.target import Target, key_of
from backends.providers.transport import open_client, rate_state, request_id
from backends.request import Message, Part, Picture, Request
from backends.settings import BackendSettings

KEY_VARIABLE = "ANTHROPIC_API_KEY"
OTHER_KEY_VARIABLE = "SIXLENS_COMPATIBLE_API_KEY"
URL = "https://api.anthropic.com"
SDK = Sdk("Anthropic", AnthropicError, APIStatusError, APIConnectionError, APIResponseValidationError)
_STOPS = {
    "max_tokens": Stop.LENGTH,
    "model_context_window_exceeded": Stop.LENGTH,
    "refusal": Stop.REFUSAL,
}


class _Block(BaseModel):
    type: str
    text: str = ""


class _Usage(BaseModel):
    input_tokens: Count = None
    output_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_creation_input_tokens: Count = None


class _Reply(BaseModel):
    content: list[_Block]
    model: str | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None


class AnthropicBackend(HttpBackend):
    """A server of the Messages API."""

    def __init__(self, target: Target, shared: SharedClient) -> None:
        super().__init__(target, shared)
        self._sdk = AsyncAnthropic(
            api_key=target.key or "none",
            base_url=target.address.url,
            http_client=shared.client,
            max_retries=0,
            timeout=shared.client.timeout,
            open_telemetry=False,
        )

    async def _find_out(self) -> Target:
        if not self._target.address.loopback:
            return self._target
        return replace(self._target, remote=await remote_host(self._client, self._target.address, self._target.model))

    async def _send(self, body: Mapping[str, Any]) -> httpx2.Response:
        return await SDK.post(self._sdk, "/v1/messages", body, self._target)

    def _question(self, request: Request) -> Question:
        facts, sampling, target = self._target.facts, request.sampling, self._target
        fixed = {"model": target.model, "max_tokens": sampling.max_tokens, "messages": self._messages(request)}
        system = "\n\n".join(message.text for message in request.messages if message.role == "system")
        if system:
            fixed["system"] = system
        wishes, notes = {}, []
        if sampling.top_p is not None:
            wishes["top_p"] = Wish({"top_p": sampling.top_p})
        if sampling.temperature is not None:
            wishes["temperature"] = Wish({"temperature": sampling.temperature})
        if sampling.seed is not None:
            wishes["seed"] = Wish({"seed": sampling.seed})
        if request.schema is not None and facts.json_schema is False:
            notes.append(f"{target.model} follows no schema; it was asked without one.")
        elif request.schema is not None and request.prefill is not None:
            notes.append("A schema and a begun answer do not go together here; it was asked without the schema.")
        elif request.schema is not None:
            form = {"format": {"type": "json_schema", "schema": dict(request.schema)}}
            wishes["output_config"] = Wish({"output_config": form}, ("output_format", "structured outputs"))
        if request.logprobs:
            notes.append(f"{target.model} gives no token probabilities.")
        return self._compose(fixed, wishes, tuple(notes))

    def _messages(self, request: Request) -> list[dict[str, Any]]:
        messages = [self._message(message) for message in request.messages if message.role != "system"]
        if request.prefix_end is not None and self._target.facts.prefix_cache is not False:
            turn, place = request.prefix_end
            before = sum(message.role == "system" for message in request.messages[:turn])
            messages[turn - before]["content"][place]["cache_control"] = {"type": "ephemeral"}
        if request.prefill is not None:
            # The API refuses blanks at the end of a begun answer.
            messages.append({"role": "assistant", "content": request.prefill.rstrip()})
        return messages

    def _message(self, message: Message) -> dict[str, Any]:
        return {"role": message.role, "content": [self._block(part) for part in message.parts]}

    def _block(self, part: Part) -> dict[str, Any]:
        if not isinstance(part, Picture):
            return {"type": "text", "text": part.text}
        data = self._pictures.base64(part)
        return {"type": "image", "source": {"type": "base64", "media_type": part.media_type, "data": data}}

    def _read(self, request: Request, response: httpx2.Response) -> Completion:
        try:
            reply = _Reply.model_validate_json(response.content)
        except ValidationError as error:
            text = f"{self._target.address.host} answered something that is not a message."
            raise self._target.fail(MalformedError, text, headers=response.headers) from error
        text = "".join(block.text for block in reply.content if block.type == "text")
        stop = _STOPS.get(reply.stop_reason or "", Stop.COMPLETE if text.strip() else Stop.EMPTY)
        return Completion(
            text=_joined(request.prefill, text),
            stop=stop,
            model=reply.model or self._target.model,
            backend=self.spec,
            usage=_usage(reply.usage),
            request_id=request_id(response.headers),
            rate=rate_state(response.headers),
        )


def _joined(prefill: str | None, text: str) -> str:
    """The begun answer and what the model wrote after it, which may or may not bring its own blank."""
    if prefill is None:
        return text
    begun = prefill.rstrip()
    return begun + text if text[:1].isspace() else prefill + text


def _usage(usage: _Usage | None) -> TokenUsage:
    """All input tokens together: the protocol counts those read from and written to the cache apart."""
    if usage is None:
        return TokenUsage()
    parts = (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens)
    return TokenUsage(
        input_tokens=None if usage.input_tokens is None else sum(part or 0 for part in parts),
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cache_read_input_tokens,
        cache_written_tokens=usage.cache_creation_input_tokens,
    )


def open_anthropic(rest: str, settings: BackendSettings, *, connections: Connections | None = None) -> AnthropicBackend:
    """Open `MODEL` or `MODEL@URL`.

    Raises:
        ConfigError: there is no model name, or the address is malformed.
    """
    model, url = split_model(rest)
    if not model:
        raise ConfigError("anthropic: names no model; write anthropic:MODEL.")
    address = parse_address((url or URL).removesuffix("/").removesuffix("/v1"))
    own = address.url == URL
    spec = f"anthropic:{model}" if own else f"anthropic:{model}@{address.url}"
    key, needs = key_of(settings, KEY_VARIABLE if own else OTHER_KEY_VARIABLE), settings.key_variable
    target = Target("anthropic", spec, model, address, settings, key, needs=needs or (KEY_VARIABLE if own else None))
    shared = open_client(address, settings, key, also_sent=("anthropic-version",), connections=connections)
    return AnthropicBackend(target, shared)
