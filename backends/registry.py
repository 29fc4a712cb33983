"""Backends by spec string, for example `openai:MODEL` or `compatible:MODEL@URL`.

Nothing of a provider is imported before one of its backends is opened. Third parties register under the entry point
group `sixlens.backends`: the entry's name is the provider's name, and it loads to a function of the rest of the spec
string and the settings, which returns a `Provider` (`backends.backend`). A spec string never holds a secret: keys come
from the environment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from backends.backend import Provider
from backends.errors import ConfigError, MissingExtraError, UnknownNameError
from backends.settings import BackendSettings

__all__ = ["BackendSettings", "ProviderInfo", "describe", "open_backend", "provider_names", "unknown_backend"]

GROUP = "sixlens.backends"
DEFAULT = BackendSettings()
Opener = Callable[[str, BackendSettings], Provider]


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """A provider as the command line lists it.

    `extra` is the extra to install, `hosted` is None where it depends. One that is not `available` is known by name
    alone: it is no part of this version.
    """

    name: str
    what: str
    spec: str
    key: str | None = None
    extra: str | None = None
    hosted: bool | None = None
    available: bool = True


@dataclass(frozen=True, slots=True)
class _BuiltIn:
    info: ProviderInfo
    module: str
    function: str

    def opener(self) -> Opener:
        if not self.info.available:
            raise _not_here(self.info.name)
        try:
            module = import_module(self.module)
        except ModuleNotFoundError as error:
            if self.info.extra is None:
                raise
            raise MissingExtraError(f"the {self.info.name}: backend", self.info.extra) from error
        return cast("Opener", getattr(module, self.function))


_BUILT_IN = (
    _BuiltIn(
        ProviderInfo("openai", "OpenAI's own service", "openai:MODEL", key="OPENAI_API_KEY", hosted=True),
        "backends.providers.openai",
        "open_openai",
    ),
    _BuiltIn(
        ProviderInfo("anthropic", "Anthropic's own service", "anthropic:MODEL", key="ANTHROPIC_API_KEY", hosted=True),
        "backends.providers.anthropic",
        "open_anthropic",
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
    ),
    _BuiltIn(
        ProviderInfo("ollama", "an Ollama server", "ollama:MODEL[@URL]", key="OLLAMA_API_KEY"),
        "backends.providers.ollama",
        "open_ollama",
    ),
    _BuiltIn(
        ProviderInfo(
            "hf",
            "a model run in this process; not part of this version",
            "hf:REPO_OR_FOLDER",
            extra="local",
            hosted=False,
            available=False,
        ),
        "backends.providers.hf",
        "open_hf",
    ),
    _BuiltIn(
        ProviderInfo("scripted", "answers out of a file, for tests", "scripted:FILE", hosted=False),
        "backends.providers.scripted",
        "open_scripted",
    ),
)


def provider_names() -> tuple[str, ...]:
    """The names that a spec string may begin with, in alphabetic order."""
    return tuple(sorted(info.name for info in describe() if info.available))


def unknown_backend(name: str) -> ConfigError | None:
    """What is wrong with a provider's name, or None: there is none of this name, or not in this version."""
    if name in provider_names():
        return None
    known = any(info.name == name for info in describe())
    return _not_here(name) if known else UnknownNameError("backend", name, provider_names())


def describe() -> tuple[ProviderInfo, ...]:
    """Every provider, the own ones first."""
    return tuple(row.info for row in _BUILT_IN) + tuple(
        ProviderInfo(name, f"from {entry.value.split(':')[0]}", f"{name}:…") for name, entry in _third_party().items()
    )


def open_backend(spec: str, settings: BackendSettings = DEFAULT) -> Provider:
    """Open the backend that a spec string names. Nobody is asked yet, and no picture goes anywhere.

    Raises:
        UnknownNameError: there is no such provider.
        MissingExtraError: it needs an extra that is not installed.
        ConfigError: the rest of the spec string is wrong.
    """
    name, colon, rest = spec.partition(":")
    if not colon:
        raise ConfigError(f"{spec!r} is no backend; write PROVIDER:MODEL, for example compatible:MODEL@URL.")
    backend = _opener(name)(rest, settings)
    if not isinstance(backend, Provider):
        raise ConfigError(f"The backend {name!r} is not one: it lacks a part of backends.backend.Provider.")
    return backend


def _not_here(name: str) -> ConfigError:
    return ConfigError(
        f"The {name}: backend is not part of this version. Serve the model with vLLM or Ollama and name it as "
        "compatible:MODEL@URL or ollama:MODEL."
    )


def _opener(name: str) -> Opener:
    own = next((row for row in _BUILT_IN if row.info.name == name), None)
    if own is not None:
        return own.opener()
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
