"""Vision models on servers of this machine: looked for on the usual ports, named to the person, never used unasked."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import httpx2

SECONDS = 0.3
"""The longest wait for one answer."""
MOST_MODELS = 8
"""How many models of one server are looked at."""
_SANE = re.compile(r"[\w.:/@+-]{1,120}", re.ASCII)
_SEES = re.compile(
    r"(?<![a-z])(vlm?|vision|llava|bakllava|pixtral|internvl|minicpm-?[vo]|moondream|smolvlm|molmo|paligemma|mllama"
    r"|gemma-?3|omni)(?![a-z])|vl[:-]|[\d.]vl",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Server:
    """A model server that a person may run here. `lists` is the path that lists its models."""

    name: str
    port: int
    lists: str

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


SERVERS = (
    Server("Ollama", 11434, "/api/tags"),
    Server("vLLM", 8000, "/v1/models"),
    Server("LM Studio", 1234, "/v1/models"),
    Server("llama.cpp", 8080, "/v1/models"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A server that answers, and the specs of the models on it that seem to see pictures."""

    server: Server
    specs: tuple[str, ...]

    @property
    def flags(self) -> tuple[str, ...]:
        """What to add to a command, for each model."""
        return tuple(f"--backend {shlex.quote(spec)}" for spec in self.specs)


async def find_servers(servers: Sequence[Server] = SERVERS) -> tuple[Found, ...]:
    """The servers that answer on this machine. Only their lists of models are read; no picture goes anywhere."""
    async with httpx2.AsyncClient(timeout=SECONDS, trust_env=False) as client:
        found = await asyncio.gather(*(_ask(client, server) for server in servers))
    return tuple(item for item in found if item is not None)


async def _ask(client: httpx2.AsyncClient, server: Server) -> Found | None:
    data = await _json(client, "GET", server.url + server.lists)
    if data is None:
        return None
    entries = [entry for key in ("models", "data") for entry in _items(data.get(key))]
    if server.lists.startswith("/api/"):
        names = dict.fromkeys(name for entry in entries if (name := _name(entry, "name", "model")))
        seeing = await asyncio.gather(*(_ollama_sees(client, server, name) for name in list(names)[:MOST_MODELS]))
        specs = [f"ollama:{name}" for name, sees in zip(names, seeing, strict=False) if sees]
    else:
        can = {name: _can_see(entry, name) for entry in entries if (name := _name(entry, "id", "model", "name"))}
        specs = [f"compatible:{name}@{server.url}/v1" for name, sees in can.items() if sees][:MOST_MODELS]
    return Found(server, tuple(specs))


async def _ollama_sees(client: httpx2.AsyncClient, server: Server, name: str) -> bool:
    """Ollama says what a model can do; older versions do not, and then its name has to do."""
    shown = await _json(client, "POST", f"{server.url}/api/show", {"model": name})
    return _can_see(shown or {}, name)


def _can_see(entry: Mapping[str, Any], name: str) -> bool:
    said = entry.get("capabilities")
    if isinstance(said, list):
        return bool({"vision", "multimodal"} & {item for item in said if isinstance(item, str)})
    return bool(_SEES.search(name))


def _name(entry: Mapping[str, Any], *keys: str) -> str | None:
    """The model's name, if it is one that can stand in a command."""
    value = next((entry[key] for key in keys if isinstance(entry.get(key), str)), "")
    return value if _SANE.fullmatch(value) else None


def _items(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


async def _json(
    client: httpx2.AsyncClient, method: str, url: str, body: Mapping[str, str] = MappingProxyType({})
) -> Mapping[str, Any] | None:
    """The JSON object that an address answers with; None for anything else, and for silence."""
    try:
        async with asyncio.timeout(SECONDS):
            response = await client.request(method, url, json=dict(body) if body else None)
            data = response.json() if response.is_success else None
    except (httpx2.HTTPError, ValueError, TimeoutError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
