"""Opening what all cases of a Judge share."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from backends.backend import Backend
from backends.connections import Connections
from backends.errors import ConfigError
from backends.images.likeness import likeness
from backends.images.source import load_image
from backends.layers.budget import Budget
from backends.layers.cache_store import CacheStore
from backends.layers.limiter import LimiterPolicy
from backends.layers.retry import RetryPolicy
from backends.prices import Prices
from backends.registry import open_backend
from backends.settings import BackendSettings
from backends.shared import Shared
from backends.stack import LayerPolicy, Resources, build_stack
from backends.yaml_file import build
from fusion.calibration import Calibration, read_calibration
from fusion.panel import panel_paradigm
from fusion.strategies import FITTED, strategy
from orchestrator.case import Kit, ShownExemplar
from orchestrator.ensemble import Ensemble, LimitSettings
from orchestrator.scorers import open_scorers, score_digests
from paradigms.exemplars import Exemplar, choose_exemplars, load_exemplars
from paradigms.label import Label
from paradigms.library import load_common, load_paradigm, read_paradigm
from paradigms.paradigm import Paradigm
from paradigms.render import Renderer
from paradigms.signals.measurement import MEASUREMENTS
from paradigms.storable import storable

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

log = logging.getLogger("sixlens")

_NOT_IN_IDENTITY: Mapping[str, Any] = MappingProxyType(
    {
        **dict.fromkeys(("description", "backends", "limits", "retry", "deadlines", "cache", "strict", "prices"), True),
        # But what a case may spend decides how much of it is examined.
        "budget": {"calls", "tokens", "cost"},
        "exemplars": True,
        "paradigms": {"__all__": {"file"}},
        "fusion": {"calibration"},
    }
)
"""Settings that do not change what is asked and how the answers are fused. What files hold counts by its content."""


@dataclass(frozen=True, slots=True)
class Around:
    """What lies around a Judge; None where there is nothing."""

    budget: Budget | None = None
    """One that several Judges share; the ensemble's own lies within it."""
    shared: Shared | None = None
    """Where several Judges hold models and connections."""
    tracer: Tracer | None = None
    """Where spans are begun."""


@dataclass(frozen=True, slots=True)
class _Opening:
    """With what backends are opened: those handed in, those opened (filled here), what they share, what closes them."""

    given: Mapping[str, Backend]
    providers: dict[str, Backend]
    resources: Resources
    stack: AsyncExitStack
    connections: Connections


async def open_kit(
    ensemble: Ensemble,
    given: Mapping[str, Backend],
    cache_path: Path | CacheStore | None,
    executor: Executor,
    *,
    trace: bool,
    stack: AsyncExitStack,
    around: Around,
) -> Kit:
    """Load prompts and exemplars, and open every backend that the ensemble names; `stack` closes them.

    Raises:
        ConfigError: a name, a file or a backend cannot be used.
    """
    calibration = load_calibration(ensemble)
    strategy(ensemble.fusion.strategy, calibration)
    paradigms = load_paradigms(ensemble)
    exemplars = await asyncio.get_running_loop().run_in_executor(executor, _shown_exemplars, ensemble, paradigms)
    common = load_common()
    resources = _resources(ensemble, cache_path, around)
    providers: dict[str, Backend] = {}
    opened = _open_backends(
        ensemble, paradigms, _Opening(given, providers, resources, stack, Connections(shared=around.shared))
    )
    panel = panel_paradigm(common.panel, common.version)
    return Kit(
        ensemble=ensemble,
        config_sha256=_identity(ensemble, (*paradigms.values(), panel), [exemplar for exemplar, _ in exemplars]),
        paradigms=paradigms,
        panel=panel,
        renderer=Renderer(ensemble.layout, common),
        backends=opened,
        providers=providers,
        resources=resources,
        exemplars=exemplars,
        executor=executor,
        trace=trace,
        calibration=calibration,
        scorers=await open_scorers(ensemble, executor, stack),
    )


def identity_of(ensemble: Ensemble) -> str:
    """The `config_sha256` that verdicts of this ensemble carry. Nothing is opened.

    Raises:
        ConfigError: a paradigm, an exemplar or another file cannot be used.
    """
    paradigms = load_paradigms(ensemble)
    common = load_common()
    exemplars = [exemplar for exemplar, _ in _shown_exemplars(ensemble, paradigms)]
    panel = panel_paradigm(common.panel, common.version)
    return _identity(ensemble, (*paradigms.values(), panel), exemplars)


def load_paradigms(ensemble: Ensemble) -> dict[str, Paradigm]:
    """The ensemble's paradigms by name, in its order; members of `kind: score` are none.

    Raises:
        ConfigError: a paradigm does not exist, its file is wrong, or it names a measurement that does not exist.
    """
    paradigms: dict[str, Paradigm] = {}
    for name, choice in ensemble.paradigms.items():
        if choice.kind == "score":
            continue
        paradigm = read_paradigm(Path(choice.file)) if choice.file else load_paradigm(name)
        if paradigm.name != name:
            raise ConfigError(f"{choice.file}: its name is {paradigm.name!r}, but the ensemble calls it {name!r}.")
        for step in paradigm.measures:
            if step.measure not in MEASUREMENTS:
                known = ", ".join(sorted(MEASUREMENTS))
                raise ConfigError(f"{name}: there is no measurement {step.measure!r}. Known: {known}.")
        paradigms[name] = paradigm
    return paradigms


def load_calibration(ensemble: Ensemble) -> Calibration | None:
    """The calibration of an ensemble whose fusion is a fitted one; None for every other.

    Raises:
        ConfigError: the file cannot be read, or is no calibration.
    """
    settings = ensemble.fusion
    if settings.calibration is None or settings.strategy not in FITTED:
        return None
    return read_calibration(Path(settings.calibration))


def backend_specs(ensemble: Ensemble, paradigms: Mapping[str, Paradigm]) -> tuple[str, ...]:
    """The specs of every backend that is asked, each once.

    Raises:
        ConfigError: a paradigm asks, and no backend is named for it.
    """
    if not ensemble.ask:
        return ()
    specs: list[str] = []
    for name, paradigm in paradigms.items():
        spec = ensemble.backend_of(name)
        if spec is None and paradigm.asks:
            raise ConfigError(
                f"The ensemble {ensemble.name!r} names no backend for {name}. Add --backend PROVIDER:MODEL "
                "(see `sixlens backends`), or use --ensemble measured to ask no model."
            )
        specs += [spec] if spec and paradigm.asks else []
    panel = ensemble.panel_backend
    return tuple(dict.fromkeys([*specs, *([panel] if panel else [])]))


def _open_backends(ensemble: Ensemble, paradigms: Mapping[str, Paradigm], opening: _Opening) -> dict[str, Backend]:
    specs = backend_specs(ensemble, paradigms)
    if not specs:
        return {}
    asked = (*specs, *ensemble.fallback)
    for spec in {**ensemble.backends, **ensemble.limits.backends}:
        # Backends that were handed in may stand for those that the settings are about.
        if not opening.given and spec not in asked:
            log.warning("The settings for %s are not used: nobody asks it. Asked: %s.", spec, ", ".join(asked))
    if opening.resources.store is not None:
        opening.stack.callback(opening.resources.store.close)
    for spec in dict.fromkeys(asked):
        if ensemble.budget.cost is not None and opening.resources.prices.find(spec) is None:
            raise ConfigError(
                f"budget.cost cannot be kept: the price of {spec} is unknown. Give it in a price table (`prices`), or "
                "limit budget.calls or budget.tokens instead."
            )
        opening.providers[spec] = opening.given.get(spec) or _open(ensemble, spec, opening)
        opening.stack.push_async_callback(opening.providers[spec].aclose)
    policy = _policy(ensemble, opening.providers)
    return {
        spec: build_stack([opening.providers[one] for one in (spec, *ensemble.fallback)], opening.resources, policy)
        for spec in specs
    }


def _open(ensemble: Ensemble, spec: str, opening: _Opening) -> Backend:
    deadlines = ensemble.deadlines
    own = {
        "attempt_seconds": deadlines.attempt,
        "connect_seconds": deadlines.connect,
        **ensemble.backends.get(spec, {}),
    }
    return open_backend(spec, build(BackendSettings, own, f"backends.{spec}"), opening.connections)


def _resources(ensemble: Ensemble, cache_path: Path | CacheStore | None, around: Around) -> Resources:
    budget = ensemble.budget
    store = CacheStore(cache_path) if isinstance(cache_path, Path) and ensemble.ask and ensemble.cache else None
    return Resources(
        store=cache_path if isinstance(cache_path, CacheStore) else store,
        budget=Budget(calls=budget.calls, tokens=budget.tokens, cost=budget.cost, parent=around.budget),
        prices=Prices.load(Path(ensemble.prices) if ensemble.prices else None),
        tracer=around.tracer,
    )


def _policy(ensemble: Ensemble, providers: Mapping[str, Backend]) -> LayerPolicy:
    retry, limits = ensemble.retry, ensemble.limits
    named = [spec for spec in limits.backends if spec in providers]
    return LayerPolicy(
        retry=RetryPolicy(
            attempts=retry.attempts, max_retry_after_s=retry.max_wait, request_s=ensemble.deadlines.request
        ),
        limiter=_limiter(limits, retry.max_wait),
        limiters={providers[spec].spec: _limiter(limits.of(spec), retry.max_wait) for spec in named},
        ceilings_chosen=frozenset(providers[spec].spec for spec in named if limits.backends[spec].ceiling is not None),
        storable=storable,
    )


def _limiter(limits: LimitSettings, patience_s: float) -> LimiterPolicy:
    return LimiterPolicy(
        start=limits.start, ceiling=limits.ceiling, rpm=limits.rpm, tpm=limits.tpm, patience_s=patience_s
    )


def _shown_exemplars(ensemble: Ensemble, paradigms: Mapping[str, Paradigm]) -> tuple[ShownExemplar, ...]:
    """The exemplars that a case may be shown: two of each label, so that one is left when the judged picture is one."""
    if not ensemble.ask or not any("exemplars" in paradigm.needs for paradigm in paradigms.values()):
        return ()
    path = Path(ensemble.exemplars) if ensemble.exemplars else None
    found = load_exemplars(path if path else Path(str(files("prompts") / "exemplars.yaml")))
    choose_exemplars(found, "")
    shown: list[ShownExemplar] = []
    for label in (Label.GENERATED, Label.REAL):
        for exemplar in [item for item in found if item.label is label][:2]:
            picture = None
            if exemplar.picture is not None:
                settings = ensemble.image
                with load_image(exemplar.picture) as image:
                    picture = image.deliver(settings.max_edge, settings.quality)
                    exemplar = replace(exemplar, likeness=likeness(image.pixels()))
            shown.append((exemplar, picture))
    return tuple(shown)


def _changes(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a backend that can change its answers; how it is reached, and with which key, cannot."""
    return {name: value for name, value in settings.items() if name in ("capabilities", "extra", "local")}


def _identity(ensemble: Ensemble, paradigms: tuple[Paradigm, ...], exemplars: list[Exemplar]) -> str:
    """A hash of everything that can change what is asked and how it is fused."""
    common = load_common()
    content: dict[str, Any] = {
        "version": 1,
        "ensemble": ensemble.model_dump(mode="json", exclude=dict(_NOT_IN_IDENTITY)),
        "backends": {spec: kept for spec, settings in ensemble.backends.items() if (kept := _changes(settings))},
        "paradigms": [paradigm.model_dump(mode="json") for paradigm in paradigms],
        "common": common.model_dump(mode="json"),
        "exemplars": [[item.label, item.reason, item.description, item.sha256] for item in exemplars],
        "scores": score_digests(ensemble),
    }
    calibration = load_calibration(ensemble)
    if calibration is not None:
        content["calibration"] = calibration.model_dump(mode="json")
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
