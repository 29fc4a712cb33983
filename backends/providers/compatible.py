"""`compatible:MODEL@URL`: any server of the OpenAI chat protocol, such as vLLM, llama.cpp, LM Studio or TGI.

An address without a path gets `/v1`. The server is asked once which models it has. Without a model name it must have
just one. With a name, what it says of that model counts; one that says nothing, or not soon, is asked all the same.
The key is that of `SIXLENS_COMPATIBLE_API_KEY`, if there is one; an OpenAI key is never sent here, nor anything else
that the environment holds for OpenAI.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx2
from openai import APIStatusError, OpenAIError
from pydantic import BaseModel, Field, ValidationError

from backends.connections import Connections
from backends.errors import BackendError, ConfigError, InvalidRequestError, MalformedError
from backends.models import ModelFacts
from backends.providers.address import parse_address, split_model
from backends.providers.chat import SDK, ChatBackend
from backends.providers.chat_reply import Count
from backends.providers.failures import nobody_listens
from backends.providers.shown import PATIENCE, remote_host
from backends.providers.target import Target, key_of
from backends.providers.transport import open_client
from backends.settings import BackendSettings

KEY_VARIABLE = "SIXLENS_COMPATIBLE_API_KEY"
_OLLAMA = "library"
"""Who owns the models of an Ollama server, as it says in its list."""


class _Served(BaseModel):
    id: str = Field(min_length=1)
    owned_by: str | None = None
    max_model_len: Count = None


class _Models(BaseModel):
    data: list[_Served] = []


class CompatibleBackend(ChatBackend):
    """A server of the OpenAI chat protocol that the user names."""

    async def _find_out(self) -> Target:
        if self._target.model:
            return await self._looked_up()
        served = await self._served()
        if len(served) != 1:
            names = ", ".join(model.id for model in served[:5]) or "none"
            text = f"{self._target.address.host} serves {len(served)} models ({names}); name one: compatible:MODEL@URL."
            raise self._target.fail(InvalidRequestError, text)
        return await self._described(served[0])

    async def _looked_up(self) -> Target:
        """The target with what the list of models says of the one that is named. No answer is no failure."""
        settings = self._target.settings
        try:
            # Half an attempt at most: the time limit around this one is an error, and this is none.
            async with asyncio.timeout(min(PATIENCE, settings.connect_seconds, settings.attempt_seconds / 2)):
                served = await self._served()
        except (BackendError, TimeoutError) as error:
            if self._target.address.loopback and nobody_listens(error):
                raise  # It was not started, and no question will start it.
            return self._target  # If something is wrong with the server, the question itself will say so.
        found = next((model for model in served if model.id == self._target.model), None)
        return self._target if found is None else await self._described(found)

    async def _described(self, served: _Served) -> Target:
        """The target with what the server says of its model. Ollama may pass it on, and only says so in its own API."""
        target = replace(self._target, model=served.id, said=_facts(served))
        if served.owned_by != _OLLAMA or not target.address.loopback:
            return target
        return replace(target, remote=await remote_host(self._client, target.address, served.id))

    async def _served(self) -> list[_Served]:
        host = self._target.address.host
        try:
            response = await self._sdk.get("/models", cast_to=httpx2.Response)
            return _Models.model_validate_json(response.content).data
        except ValidationError as error:
            text = f"{host} does not say which models it has; name one: compatible:MODEL@URL."
            raise self._target.fail(MalformedError, text, headers=response.headers) from error
        except APIStatusError as error:
            status = error.response.status_code
            if status in (401, 402, 403, 429):
                raise SDK.failure(error, self._target) from error
            text = f"{host} does not say which models it has ({status}); name one: compatible:MODEL@URL."
            raise self._target.fail(InvalidRequestError, text, status=status) from error
        except (OpenAIError, httpx2.HTTPError, ValueError) as error:
            raise SDK.failure(error, self._target) from error


def _facts(served: _Served) -> ModelFacts:
    """What the list of models says beside the name; vLLM says who it is and how long a context it has."""
    vllm = served.owned_by == "vllm"
    return ModelFacts(context_tokens=served.max_model_len or None, image_uuid=vllm or None, logprobs=vllm or None)


def open_compatible(
    rest: str, settings: BackendSettings, *, connections: Connections | None = None
) -> CompatibleBackend:
    """Open `MODEL@URL`, `@URL` or `URL`.

    Raises:
        ConfigError: there is no address, or it is malformed.
    """
    model, url = split_model(rest)
    if url is None:
        example = "compatible:MODEL@http://127.0.0.1:8000/v1"
        raise ConfigError(f"compatible:{rest} names no server; its address begins with http:// or https://: {example}.")
    address = parse_address(url, default_path="/v1")
    spec = f"compatible:{model}@{address.url}"
    key = key_of(settings, KEY_VARIABLE)
    target = Target("compatible", spec, model, address, settings, key, needs=settings.key_variable)
    return CompatibleBackend(target, open_client(address, settings, target.key, connections=connections))
