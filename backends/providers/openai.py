"""`openai:MODEL`: OpenAI's own service, with the key of `OPENAI_API_KEY`.

`OPENAI_ORG_ID` and `OPENAI_PROJECT_ID` count, as OpenAI documents them. `OPENAI_BASE_URL` does not: another server is
named in the spec string, as `compatible:MODEL@URL`, so that reading it says where pictures go.
"""

from __future__ import annotations

from backends.connections import Connections
from backends.errors import ConfigError
from backends.providers.address import parse_address
from backends.providers.chat import ChatBackend
from backends.providers.target import Target, key_of
from backends.providers.transport import open_client
from backends.settings import BackendSettings

KEY_VARIABLE = "OPENAI_API_KEY"
URL = "https://api.openai.com/v1"


class OpenAIBackend(ChatBackend):
    """OpenAI's own service."""

    async def _find_out(self) -> Target:
        return self._target


def open_openai(rest: str, settings: BackendSettings, *, connections: Connections | None = None) -> OpenAIBackend:
    """Open `MODEL`.

    Raises:
        ConfigError: there is no model name, or an address stands beside it.
    """
    if not rest:
        raise ConfigError("openai: names no model; write openai:MODEL.")
    if "://" in rest:
        raise ConfigError("openai: asks api.openai.com; for another server write compatible:MODEL@URL.")
    address = parse_address(URL)
    key, needs = key_of(settings, KEY_VARIABLE), settings.key_variable or KEY_VARIABLE
    target = Target("openai", f"openai:{rest}", rest, address, settings, key, needs=needs)
    also_sent = ("openai-organization", "openai-project")
    return OpenAIBackend(
        target, open_client(address, settings, target.key, also_sent=also_sent, connections=connections)
    )
