"""What an Ollama server says of a model (`/api/show`): whether it sees, how long its context is, who really runs it."""

from __future__ import annotations

from typing import Any

import httpx2
from pydantic import BaseModel, ValidationError

from backends.models import ModelFacts
from backends.providers.address import Address

PATIENCE = 5.0
"""The longest, in seconds, to wait for what a server says beside the answers that it is asked for."""
_THINKING_TOKENS = 4096
"""Room for a model that Ollama calls a thinking one; it is part of the context, which costs memory."""


class Shown(BaseModel):
    """The fields of the answer that are used."""

    capabilities: list[str] | None = None
    model_info: dict[str, Any] = {}
    remote_host: str = ""

    @property
    def host(self) -> str:
        """The host that the server passes the model on to, or nothing; it may come with or without a scheme."""
        return self.remote_host.split("://")[-1].split("/")[0].split("@")[-1].removesuffix(":443")

    @property
    def facts(self) -> ModelFacts:
        """What is said of the model itself."""
        lengths = [value for name, value in self.model_info.items() if name.endswith(".context_length")]
        length = next((value for value in lengths if isinstance(value, int) and value > 0), None)
        if self.capabilities is None:
            return ModelFacts(context_tokens=length)
        thinking = _THINKING_TOKENS if "thinking" in self.capabilities else None
        return ModelFacts(images="vision" in self.capabilities, context_tokens=length, thinking_tokens=thinking)


async def remote_host(client: httpx2.AsyncClient, address: Address, model: str) -> str:
    """The host that a server passes a model on to, asked in Ollama's own way; nothing where it does not say.

    Ollama speaks the protocols of others as well, and says who runs a model in none of them.
    """
    url = address.url.removesuffix("/v1") + "/api/show"
    try:
        response = await client.post(url, json={"model": model}, timeout=PATIENCE)
        return Shown.model_validate_json(response.content).host if response.is_success else ""
    except (httpx2.HTTPError, ValidationError):
        return ""
