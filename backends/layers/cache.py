"""The cache: an answer that is stored is not asked for again, and identical requests in flight are one call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from backends.backend import Backend
from backends.completion import Completion, Stop
from backends.layers.cache_key import cache_key
from backends.layers.cache_store import CacheStore
from backends.layers.flight import SingleFlight
from backends.layers.layer import Layer
from backends.request import Request

Storable = Callable[[Request, Completion], bool]


def complete_and_not_empty(request: Request, completion: Completion) -> bool:
    """The default of what is stored: the model ended by itself and said something."""
    return completion.stop is Stop.COMPLETE and bool(completion.text.strip())


class CacheLayer(Layer):
    """Answers from the store or from a call that is under way, else from the backend inside.

    An answer for which this request made no call is `cached`, with no attempts; it keeps the tokens, the cost and the
    seconds of the call that gave it.

    Args:
        inner: who is asked.
        identity: says what tells this model from others: endpoint, model, revision.
        flights: the calls under way, shared by all backends of a run.
        store: where answers are kept, or None.
        storable: which answers are kept.
    """

    def __init__(
        self,
        inner: Backend,
        identity: Callable[[], Awaitable[str]],
        flights: SingleFlight,
        store: CacheStore | None = None,
        storable: Storable = complete_and_not_empty,
    ) -> None:
        super().__init__(inner)
        self._identity = identity
        self._flights = flights
        self._store = store
        self._storable = storable

    async def complete(self, request: Request) -> Completion:
        """The stored answer, the one under way, or a new one.

        Raises:
            BackendError, BudgetError: the backend inside gave no answer.
        """
        key = cache_key(await self._identity(), request)
        stored = self._store.get(key) if self._store is not None else None
        if stored is not None:
            return _without_call(stored)
        completion, first = await self._flights.run(key, lambda: self._ask(key, request))
        return completion if first else _without_call(completion)

    async def _ask(self, key: str, request: Request) -> Completion:
        completion = await self._inner.complete(request)
        if self._store is not None and self._storable(request, completion):
            self._store.put_soon(key, completion)
        return completion


def _without_call(completion: Completion) -> Completion:
    return completion.model_copy(update={"cached": True, "attempts": 0, "rate": None})
