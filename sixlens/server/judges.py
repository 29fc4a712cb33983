"""The judges of a server, one for each ensemble that can be chosen."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from backends.backend import Backend
from backends.errors import BackendError, ConfigError, MissingKeyError, UnknownNameError
from backends.layers.cache_store import MAX_AGE_DAYS, CacheStore
from backends.shared import Shared
from orchestrator.config import MEASURED, Overrides, load_ensemble
from orchestrator.ensemble import Ensemble
from orchestrator.judge import Judge
from sixlens.page.clean import Cleaner, path_in
from sixlens.server.settings import ServerSettings

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

log = logging.getLogger("sixlens")
ANSWERS = "answers.sqlite"
_ASK_AGAIN_S = 30.0


class Judges:
    """Every `Judge` of a server, by the name of its ensemble. Use it as an async context manager.

    Args:
        ensembles: what can be chosen; the first is the default.
        settings: of the server.
        backends: backends to use in place of those that the specs would open, by spec.
        tracer_provider: OpenTelemetry's, for traces; None for none.
    """

    def __init__(
        self,
        ensembles: Sequence[Ensemble],
        settings: ServerSettings,
        backends: Mapping[str, Backend] | None = None,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        self._ensembles = tuple(ensembles)
        self._settings = settings
        self._backends = backends
        self._tracer_provider = tracer_provider
        self._judges: dict[str, Judge] = {}
        self._answers: CacheStore | None = None
        self._unknown: dict[str, tuple[str, ...]] = {}
        self._asked = time.monotonic()
        self._stack = AsyncExitStack()
        self.default = ensembles[0].name

    async def __aenter__(self) -> Self:
        settings = self._settings
        async with AsyncExitStack() as stack:
            keeping = {one.name for one in self._ensembles if settings.cache and one.ask and one.cache}
            path = settings.data_dir / ANSWERS
            # Where answers are no longer kept, those of earlier servers still have to go in time.
            if keeping or path.exists():
                self._answers = CacheStore(path, max_age_days=min(MAX_AGE_DAYS, settings.retention_days))
                stack.callback(self._answers.close)
            shared = Shared()
            for ensemble in self._ensembles:
                judge = Judge(
                    ensemble,
                    backends=self._backends,
                    cache_path=self._answers if ensemble.name in keeping else None,
                    limits=settings.limits,
                    shared=shared,
                    tracer_provider=self._tracer_provider,
                )
                self._judges[ensemble.name] = await stack.enter_async_context(judge)
            await self._ask_servers()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def __contains__(self, name: str) -> bool:
        return name in self._judges

    @property
    def names(self) -> tuple[str, ...]:
        """The ensembles that can be chosen."""
        return tuple(self._judges)

    def get(self, name: str | None) -> Judge:
        """The judge of this ensemble, or the default one.

        Raises:
            UnknownNameError: it cannot be chosen here.
        """
        if name is not None and name not in self._judges:
            raise UnknownNameError("ensemble", name, self._judges)
        return self._judges[name or self.default]

    def drop_old_answers(self) -> None:
        """Delete answers of models from disk that are older than judgments may be. Blocks; call it beside the loop."""
        if self._answers is not None:
            self._answers.drop_old()

    async def describe(self) -> list[dict[str, Any]]:
        """What can be chosen, and where pictures go then. Servers that did not answer before are asked again."""
        if self._unknown and time.monotonic() - self._asked > _ASK_AGAIN_S:
            await self._ask_servers()
        return [self._description(judge) for judge in self._judges.values()]

    def without_paths(self, error: Exception) -> str:
        """What an error says, in one line, without the folders of this machine that backends lie in."""
        specs = [spec for judge in self._judges.values() for spec in judge.kit.providers]
        return Cleaner.knowing(map(path_in, specs)).line(str(error))

    def destinations(self) -> list[str]:
        """Where pictures go, a line for each ensemble."""
        return [f"{one['name']}: {one['picture']}" for one in map(self._description, self._judges.values())]

    async def _ask_servers(self) -> None:
        """Find out whether servers pass pictures on.

        Raises:
            MissingKeyError: a key is missing, and nobody stands in.
        """
        self._asked = time.monotonic()
        for name, judge in self._judges.items():
            try:
                self._unknown[name] = await judge.prepare()
            except MissingKeyError:
                raise
            except BackendError as error:
                log.warning("The backend of %s does not answer yet: %s", name, error)
                self._unknown[name] = tuple(judge.kit.providers)
        self._unknown = {name: specs for name, specs in self._unknown.items() if specs}

    def _description(self, judge: Judge) -> dict[str, Any]:
        ensemble, kit = judge.ensemble, judge.kit
        unknown = self._unknown.get(ensemble.name, ())
        backends = [
            {
                "spec": _shown(spec),
                "destination": provider.capabilities.destination,
                "hosted": True if provider.capabilities.hosted else None if spec in unknown else False,
                "missing_key": provider.capabilities.missing_key,
            }
            for spec, provider in kit.providers.items()
        ]
        scorers = [choice for choice in ensemble.paradigms.values() if choice.kind == "score" and choice.hosted]
        return {
            "name": ensemble.name,
            "description": ensemble.description,
            "asks": bool(backends),
            "fusion": ensemble.fusion.strategy,
            "hosted": any(one["hosted"] for one in backends) or bool(scorers),
            "picture": _where(backends, [choice.url or "" for choice in scorers], ensemble.image.max_edge),
            "backends": backends,
            "paradigms": [
                {"name": one.name, "title": one.title, "question": one.question, "asks": bool(backends and one.asks)}
                for one in kit.paradigms.values()
            ],
            "max_edge": ensemble.image.max_edge,
            "deadline_s": ensemble.deadlines.case,
        }


def _shown(spec: str) -> str:
    """A backend's spec without the folders of this machine, as a report shows it."""
    return Cleaner.knowing([path_in(spec)]).line(spec)


def _where(backends: Sequence[Mapping[str, Any]], originals: Sequence[str], edge: int) -> str:
    """Where a picture goes, in one or two sentences."""
    away = [str(one["destination"]) for one in backends if one["hosted"]]
    perhaps = [str(one["destination"]) for one in backends if one["hosted"] is None]
    parts = []
    if away:
        copy = f"a copy of at most {edge} pixels a side, without its metadata"
        parts.append(f"The picture leaves this server for {', '.join(dict.fromkeys(away))}: {copy}.")
    if originals:
        parts.append(f"The original file, with its metadata, is sent to {', '.join(originals)}.")
    if perhaps:
        parts.append(f"Whether {', '.join(dict.fromkeys(perhaps))} passes it on is not known yet.")
    if not parts:
        parts.append("The picture stays on this server." if backends else "No model is asked; it stays on this server.")
    return " ".join(parts)


def load_ensembles(settings: ServerSettings, environment: Mapping[str, str]) -> tuple[Ensemble, ...]:
    """The ensembles of a server: those that were named, or else the usual one and `measured`.

    Raises:
        ConfigError: one of them, or a setting, is wrong; or two have one name.
    """
    if settings.ensembles:
        found = tuple(_load(name, settings.overrides, environment) for name in settings.ensembles)
    else:
        usual = load_ensemble(None, settings.overrides, environment)
        found = (usual,) if usual.name == MEASURED else (usual, load_ensemble(MEASURED))
    names = [ensemble.name for ensemble in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"Two ensembles are named {twice!r}; give one of them another `name`.")
    return found


def _load(name: str, overrides: Overrides, environment: Mapping[str, str]) -> Ensemble:
    """An ensemble with the overrides that make sense for it: one that asks no model takes no backend."""
    if load_ensemble(name).ask:
        return load_ensemble(name, overrides, environment)
    return load_ensemble(name, replace(overrides, backend=None), environment)
