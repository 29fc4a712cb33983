"""The OpenAI chat protocol, as `openai:` and `compatible:` share it, on the official SDK.

The body is built here as a whole and handed to the SDK's `post`: what goes out is in one place, and the SDK's part is
the connection, the encoding and its errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx2
from openai import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    AsyncOpenAI,
    OpenAIError,
)
from pydantic import ValidationError

from backends.completion import Completion, with_prefill
from backends.connections import SharedClient
from backends.errors import BackendError, MalformedError, ServerError
from backends.providers.asking import TOP_LOGPROBS, HttpBackend, Question, Wish
from backends.providers.chat_reply import ChatReply
from backends.providers.failures import Reply, status_failure
from backends.providers.sdk import Sdk
from backends.providers.target import Target
from backends.providers.transport import rate_state, request_id
from backends.request import Message, Part, Picture, Request

_LIMIT_FIELDS = ("max_tokens", "max_completion_tokens")
_MARKED = "prompt_cache_options"
"""The setting by which prefixes are cached up to the marks in the prompt, and no further."""
_UNKNOWN_FIELD = re.compile(r"(un|not )(supported|recogni[sz]ed|known|expected|permitted)|extra|instead", re.IGNORECASE)
SDK = Sdk("OpenAI", OpenAIError, APIStatusError, APIConnectionError, APIResponseValidationError)


class ChatBackend(HttpBackend):
    """A provider that speaks the OpenAI chat protocol."""

    def __init__(self, target: Target, shared: SharedClient) -> None:
        super().__init__(target, shared)
        self._sdk = AsyncOpenAI(
            api_key=target.key or "none",
            base_url=target.address.url,
            http_client=shared.client,
            max_retries=0,
            timeout=shared.client.timeout,
        )
        self._limit_field: str | None = None

    async def _send(self, body: Mapping[str, Any]) -> httpx2.Response:
        return await SDK.post(self._sdk, "/chat/completions", body, self._target)

    def _question(self, request: Request) -> Question:
        facts, sampling, target = self._target.facts, request.sampling, self._target
        limit = self._limit_field or facts.max_tokens_field or "max_tokens"
        fixed = {"model": target.model, "messages": self._messages(request), limit: sampling.max_tokens}
        if request.prefill is not None:
            fixed |= {"continue_final_message": True, "add_generation_prompt": False}
        wishes: dict[str, Wish] = {}
        if sampling.top_p is not None:
            wishes["top_p"] = Wish({"top_p": sampling.top_p})
        if sampling.temperature is not None:
            wishes["temperature"] = Wish({"temperature": sampling.temperature})
        if sampling.seed is not None:
            wishes["seed"] = Wish({"seed": sampling.seed + sampling.sample})
        notes = []
        if request.schema is not None and facts.json_schema is False:
            notes.append(f"{target.model} follows no schema; it was asked without one.")
        elif request.schema is not None:
            words = ("json_schema", "structured output", "structured outputs", "guided_json")
            wishes["response_format"] = Wish({"response_format": _response_format(request)}, words)
        if request.logprobs and facts.logprobs is False:
            notes.append(f"{target.model} gives no token probabilities.")
        elif request.logprobs:
            wishes["logprobs"] = Wish(
                {"logprobs": True, "top_logprobs": TOP_LOGPROBS}, ("top_logprobs", "top_n_tokens")
            )
        if facts.cache_breakpoints:
            # Else the service sets a mark of its own behind the question, where no other request goes on from.
            wishes[_MARKED] = Wish({_MARKED: {"mode": "explicit"}}, ("prompt_cache_breakpoint",))
        if facts.prompt_cache_key and request.pictures:
            wishes["prompt_cache_key"] = Wish({"prompt_cache_key": request.pictures[0].sha256[:32]}, reported=False)
        return self._compose(fixed, wishes, tuple(notes))

    def _messages(self, request: Request) -> list[dict[str, Any]]:
        messages = [self._message(message) for message in request.messages]
        if request.prefix_end is not None and self._target.facts.cache_breakpoints and self._takes(_MARKED):
            turn, place = request.prefix_end
            messages[turn]["content"][place]["prompt_cache_breakpoint"] = {"mode": "explicit"}
        if request.prefill is not None:
            messages.append({"role": "assistant", "content": request.prefill})
        return messages

    def _message(self, message: Message) -> dict[str, Any]:
        if any(isinstance(part, Picture) for part in message.parts):
            return {"role": message.role, "content": [self._part(part) for part in message.parts]}
        return {"role": message.role, "content": message.text}

    def _part(self, part: Part) -> dict[str, Any]:
        if not isinstance(part, Picture):
            return {"type": "text", "text": part.text}
        image = {"type": "image_url", "image_url": {"url": self._pictures.data_uri(part)}}
        return {**image, "uuid": part.sha256} if self._target.facts.image_uuid else image

    def _read(self, request: Request, response: httpx2.Response) -> Completion:
        host = self._target.address.host
        try:
            reply = ChatReply.model_validate_json(response.content)
            if reply.error and not reply.choices:
                raise self._inner_error(reply.error, response)
            completion = reply.completion(self.spec, self._target.model)
        except (ValidationError, IndexError) as error:
            text = f"{host} answered something that is not a chat completion."
            raise self._target.fail(MalformedError, text, headers=response.headers) from error
        if reply.broken_off:
            text = f"{host} broke the answer off ({reply.broken_off})."
            raise self._target.fail(ServerError, text, headers=response.headers)
        return completion.model_copy(
            update={
                "text": with_prefill(request.prefill, completion.text),
                "rate": rate_state(response.headers),
                "request_id": request_id(response.headers),
                "notes": self._missing(request, completion),
            }
        )

    def _missing(self, request: Request, completion: Completion) -> tuple[str, ...]:
        """What was asked for and silently not given, though it is known to be offered."""
        offered = self._target.facts.logprobs is True and self._takes("logprobs")
        if request.logprobs and offered and completion.logprobs is None:
            return (f"{self._target.address.host} gave no token probabilities.",)
        return ()

    def _inner_error(self, error: Any, response: httpx2.Response) -> BackendError:
        """An error inside an answer that says 200: its own code counts, as far as it is a status."""
        code = error.get("code") if isinstance(error, dict) else None
        status = code if isinstance(code, int) and 400 <= code < 600 else 500
        return status_failure(Reply(status, response.headers, response.text), self._target)

    def _renamed(self, reply: Reply, question: Question) -> str | None:
        """The token limit has two names; a server that does not know the one is asked by the other from then on."""
        sent = next(name for name in _LIMIT_FIELDS if name in question.body)
        if sent == self._limit_field or sent not in reply.text or not _UNKNOWN_FIELD.search(reply.text):
            return None
        # Several questions may have been out with the first name when it was refused; each goes again with the other.
        self._limit_field = next(name for name in _LIMIT_FIELDS if name != sent)
        return sent


def _response_format(request: Request) -> dict[str, Any]:
    schema = {"name": request.schema_name, "strict": True, "schema": dict(request.schema or {})}
    return {"type": "json_schema", "json_schema": schema}
