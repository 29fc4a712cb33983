"""Backends by spec string, for example `openai:MODEL` or `compatible:MODEL@URL`.

Nothing of a provider is imported before one of its backends is opened. Third parties register under the entry point
group `sixlens.backends`: the entry's name is the provider's name, and it loads to a function of the rest of the spec
string and the settings, which returns a `Provider` (`backends.backend`). A spec string never holds a secret: keys come
from the environment.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import cast

from backends.backend import Provider
from backends.connections import Connections
from backends.errors import ConfigError, MissingExtraError, UnknownNameError
from backends.settings import BackendSettings

__all__ = ["BackendSettings", "ProviderInfo", "describe", "open_backend", "provider_names"]

GROUP = "sixlens.backends"
DEFAULT = BackendSettings()
Opener = Callable[[str, BackendSettings], Provider]


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """A provider as the command line lists it.

    `extra` is the extra to install, and `modules` are what it has to bring. `hosted` is None where it depends.
    """

    name: str
    what: str
    spec: str
    key: str | None = None
    extra: str | None = None
    hosted: bool | None = None
    modules: tuple[str, ...] = ()

    @property
    def available(self) -> bool:
        """Whether the extra is installed, if it needs one. Nothing is imported to find out."""
        return all(find_spec(name) is not None for name in self.modules)


@dataclass(frozen=True, slots=True)
class _BuiltIn:
    info: ProviderInfo
    module: str
    function: str
    over_http: bool = False
    in_process: bool = False

    def opener(self, connections: Connections | None) -> Opener:
        if self.info.extra is not None and not self.info.available:
            raise MissingExtraError(f"The {self.info.name}: backend", self.info.extra)
        function = getattr(import_module(self.module), self.function)
        if self.over_http:
            function = functools.partial(function, connections=connections)
        elif self.in_process:
            function = functools.partial(function, shared=None if connections is None else connections.shared)
        return cast("Opener", function)


_BUILT_IN = (
    _BuiltIn(
        ProviderInfo("openai", "OpenAI's own service", "openai:MODEL", key="OPENAI_API_KEY", hosted=True),
        "backends.providers.openai",
        "open_openai",
        over_http=True,
    ),
    _BuiltIn(
        ProviderInfo("anthropic", "Anthropic's own service", "anthropic:MODEL", key="ANTHROPIC_API_KEY", hosted=True),
        "backends.providers.anthropic",
        "open_anthropic",
        over_http=True,
    ),
    _BuiltIn(
        ProviderInfo(
            "compatible",
            "any server of the OpenAI chat protocol: vLLM, llama.cpp, LM Studio, TGI…",
            "compatible:MODEL@URL",
            key="SIXLENS_COMPATIBLE_API_KEY",
        ),
        "backends.providers.compatible",
        "open_compatible",
        over_http=True,
    ),
    _BuiltIn(
        ProviderInfo("ollama", "an Ollama server", "ollama:MODEL[@URL]", key="OLLAMA_API_KEY"),
        "backends.providers.ollama",
        "open_ollama",
        over_http=True,
    ),
    _BuiltIn(
        ProviderInfo(
            "hf",
            "a model run in this process, of the Hugging Face hub or a folder",
            "hf:REPO_OR_FOLDER",
            extra="local",
            hosted=False,
            modules=("torch", "transformers", "accelerate", "llguidance"),
        ),
        "backends.providers.hf",
        "open_hf",
        in_process=True,
    ),
    _BuiltIn(
        ProviderInfo("scripted", "answers out of a file, for tests", "scripted:FILE", hosted=False),
        "backends.providers.scripted",
        "open_scripted",
    ),
)

_ELSEWHERE = frozenset(row.info.name for row in _BUILT_IN if not row.in_process)


def provider_names() -> tuple[str, ...]:
    """The names that a spec string may begin with, in alphabetic order."""
    return tuple(sorted(info.name for info in describe()))


def describe() -> tuple[ProviderInfo, ...]:
    """Every provider, the own ones first."""
    return tuple(row.info for row in _BUILT_IN) + tuple(
        ProviderInfo(name, f"from {entry.value.split(':')[0]}", f"{name}:…") for name, entry in _third_party().items()
    )


def open_backend(
    spec: str,
    settings: BackendSettings = DEFAULT,
    connections: Connections | None = None,
) -> Provider:
    """Open the backend that a spec string names. Nobody is asked yet, and no picture goes anywhere.

    Args:
        spec: PROVIDER:MODEL, as the provider reads it.
        settings: time limits, size of the pool, what is known better about the model.
        connections: backends opened with the same ones share HTTP clients and loaded models, if these would be alike.

    Raises:
        UnknownNameError: there is no such provider.
        MissingExtraError: it needs an extra that is not installed.
        ConfigError: the rest of the spec string is wrong.
    """
    name, colon, rest = spec.partition(":")
    if not colon:
        general = "PROVIDER:MODEL, for example compatible:MODEL@URL"
        form = next((info.spec for info in describe() if info.name == name), general)
        raise ConfigError(f"{spec!r} is no backend; write {form}.")
    if name in _ELSEWHERE and settings.local != DEFAULT.local:
        raise ConfigError(f"{spec}: `local` is for models in this process (hf:); take it out.")
    backend = _opener(name, connections)(rest, settings)
    if not isinstance(backend, Provider):
        raise ConfigError(f"The backend {name!r} is not one: it lacks a part of backends.backend.Provider.")
    return backend


def _opener(name: str, connections: Connections | None) -> Opener:
    own = next((row for row in _BUILT_IN if row.info.name == name), None)
    if own is not None:
        return own.opener(connections)
    entry = _third_party().get(name)
    if entry is None:
        raise UnknownNameError("backend", name, provider_names())
    try:
        return cast("Opener", entry.load())
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"The backend {name!r} ({entry.value}) cannot be loaded: {error}.") from error


def _third_party() -> dict[str, EntryPoint]:
    """Entry points by name; a name of ours is not given away."""
    own = {row.info.name for row in _BUILT_IN}
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in own}
