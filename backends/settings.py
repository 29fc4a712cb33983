"""How a backend is opened: time limits, connections, and what the user knows better about the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from backends.errors import ConfigError
from backends.local.settings import LocalSettings
from backends.models import ModelFacts


def _numbers(extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """`extra`, unless it holds `.inf` or `.nan`, which YAML has and JSON has not."""
    try:
        json.dumps(extra, allow_nan=False)
    except ValueError as error:
        raise ValueError("numbers must be finite: .inf and .nan cannot be sent") from error
    return extra


class BackendSettings(BaseModel):
    """Settings of one backend."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempt_seconds: float = Field(default=120.0, gt=0, le=3600)
    """How long one attempt may take, from the first byte sent to the last byte read. Retries are not counted."""
    connect_seconds: float = Field(default=10.0, gt=0, le=600)
    """How long reaching the server may take."""
    max_connections: int = Field(default=256, ge=1, le=4096)
    """Connections kept open at most; how many calls are under way is the limiter's business."""
    capabilities: ModelFacts = ModelFacts()
    """What is known better than in `prompts/models.yaml`; only what is given here counts."""
    remote: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.:\[\]-]{1,253}$")
    """The host that a server on this machine passes pictures on to, such as `api.openai.com` behind a gateway: then the
    backend counts as hosted."""
    key_variable: str | None = Field(default=None, pattern=r"^SIXLENS_[A-Z0-9_]{1,60}_KEY$")
    """The environment variable with the key of this server, in place of the one that all of its kind share. Its name is
    bound to a form, so that nobody's YAML file can send another secret away."""
    extra: Annotated[dict[str, JsonValue], AfterValidator(_numbers)] = Field(default_factory=dict)
    """Fields added to the body of every request as they are, for example `{"reasoning_effort": "none"}`."""
    local: LocalSettings = LocalSettings()
    """How a model is loaded and computed in this process; of `hf:` alone."""


def add_extra(body: dict[str, Any], extra: Mapping[str, JsonValue]) -> dict[str, Any]:
    """`body` with the fields of `extra` added, mappings inside mappings included.

    Raises:
        ConfigError: a field of `extra` would replace one that sixlens sets itself.
    """
    merged = dict(body)
    for name, value in extra.items():
        there = merged.get(name)
        if name not in merged:
            merged[name] = value
        elif isinstance(there, dict) and isinstance(value, dict):
            merged[name] = add_extra(there, value)
        else:
            raise ConfigError(f"extra.{name} would replace a field that sixlens sets itself; take it out of `extra`.")
    return merged
