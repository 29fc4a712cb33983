"""Builds the layers around providers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backends.backend import Backend
from backends.layers.budget import Budget, BudgetLayer
from backends.layers.cache import CacheLayer, Storable, complete_and_not_empty
from backends.layers.cache_store import CacheStore
from backends.layers.fallback import FallbackLayer
from backends.layers.flight import SingleFlight
from backends.layers.limiter import Limiter, LimiterLayer, LimiterPolicy, Limiters
from backends.layers.retry import RetryLayer, RetryPolicy
from backends.layers.thinking import ThinkingLayer
from backends.layers.usage import UsageLayer, UsageMeter
from backends.prices import Prices

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


@dataclass(frozen=True, slots=True)
class Resources:
    """What all backends of a run share. Whoever makes it closes the store."""

    store: CacheStore | None = None
    limiters: Limiters = field(default_factory=Limiters)
    budget: Budget = field(default_factory=Budget)
    meter: UsageMeter = field(default_factory=UsageMeter)
    prices: Prices = field(default_factory=Prices)
    flights: SingleFlight = field(default_factory=SingleFlight)
    tracer: Tracer | None = None
    """Where spans are begun; None for no traces."""


@dataclass(frozen=True, slots=True)
class LayerPolicy:
    """How the layers of one backend behave."""

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    limiter: LimiterPolicy = field(default_factory=LimiterPolicy)
    limiters: Mapping[str, LimiterPolicy] = field(default_factory=dict)
    """What counts in place of `limiter` for single backends, by their spec."""
    ceilings_chosen: frozenset[str] = frozenset()
    """Specs of those whose ceiling somebody chose: theirs holds, whatever the provider has a use for."""
    storable: Storable = complete_and_not_empty
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits between attempts."""


def build_stack(providers: Sequence[Backend], resources: Resources, policy: LayerPolicy | None = None) -> Backend:
    """One backend out of `providers`, of which each but the first is the fallback of those before it.

    Outer to inner: fallback → usage → cache → thinking → retry → budget → limiter → provider. With a tracer, spans are
    made around the cache, for its hits, and around the provider, for each attempt.

    Args:
        providers: at least one. Those that follow `Provider` are prepared before their `identity` is read; of others
            the spec stands for the identity. The first call finds the limiter of a provider's endpoint and account.
        resources: what the backends of a run share.
        policy: how the layers behave. A provider that is in use already with another limiter policy answers nothing:
            its first call raises `ConfigError`.
    """
    chains = [_chain(provider, resources, policy or LayerPolicy()) for provider in providers]
    return chains[0] if len(chains) == 1 else FallbackLayer(chains)


def _chain(provider: Backend, resources: Resources, policy: LayerPolicy) -> Backend:
    bounds = _bounds(provider, policy)

    def limiter() -> Limiter:
        endpoint, account = getattr(provider, "endpoint", provider.spec), getattr(provider, "account", "")
        return resources.limiters.of(endpoint, account, bounds, provider.spec)

    limited = LimiterLayer(_attempts(provider, resources.tracer), limiter)
    budgeted = BudgetLayer(limited, resources.budget, resources.prices)
    retried = RetryLayer(budgeted, policy.retry, policy.sleep)
    identity = _Identity(provider, retried)
    cached = CacheLayer(ThinkingLayer(retried), identity, resources.flights, resources.store, policy.storable)
    return UsageLayer(_hits(cached, resources.tracer, provider), resources.meter)


def _attempts(provider: Backend, tracer: Tracer | None) -> Backend:
    if tracer is None:
        return provider
    from backends.layers.traced import TracedAttempts

    return TracedAttempts(provider, tracer)


def _hits(cached: Backend, tracer: Tracer | None, provider: Backend) -> Backend:
    if tracer is None:
        return cached
    from backends.layers.traced import TracedHits

    return TracedHits(cached, tracer, provider)


def _bounds(provider: Backend, policy: LayerPolicy) -> LimiterPolicy:
    """The limits, and no more calls in flight than the provider has a use for, unless somebody chose its ceiling.

    The others wait at the limiter, where older cases go first and where the time of a call does not run yet.
    """
    limits = policy.limiters.get(provider.spec, policy.limiter)
    most: int | None = getattr(provider, "most_in_flight", None)
    if most is None or provider.spec in policy.ceilings_chosen:
        return limits
    return limits.model_copy(update={"ceiling": min(limits.ceiling, most)})


class _Identity:
    """The identity of a provider, which is prepared first: once, however many ask, and again if it failed."""

    def __init__(self, provider: Backend, retry: RetryLayer) -> None:
        self._provider = provider
        self._retry = retry
        self._lock = asyncio.Lock()
        self._prepared = False

    async def __call__(self) -> str:
        if not self._prepared:
            async with self._lock:
                if not self._prepared:
                    await self._prepare()
        return str(getattr(self._provider, "identity", self._provider.spec))

    async def _prepare(self) -> None:
        prepare = getattr(self._provider, "prepare", None)
        if prepare is not None:
            await self._retry.persist(prepare)
        self._prepared = True
