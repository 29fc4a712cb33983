"""HTTP clients that several backends share: two models of one service use one pool of connections."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from backends.shared import Lease, Shared

if TYPE_CHECKING:
    import httpx2


class SharedClient:
    """One backend's hold on an HTTP client, which is closed with the last backend that holds it.

    Args:
        lease: the hold.
    """

    def __init__(self, lease: Lease[httpx2.AsyncClient]) -> None:
        self.client = lease.item
        """To be used until `aclose`."""
        self._lease = lease

    async def aclose(self) -> None:
        """Let go; may be called more than once."""
        await self._lease.aclose()


class Connections:
    """The clients in use, by what tells them apart: address, key, time limits, size of the pool. For one event loop.

    Args:
        transport: what carries the requests of every client, for tests; by default each has a pool of its own.
        shared: where the clients are held, beside what else the same owner's backends share.
    """

    def __init__(self, transport: httpx2.AsyncBaseTransport | None = None, shared: Shared | None = None) -> None:
        self.transport = transport
        self.shared = Shared() if shared is None else shared

    def client(self, same: Hashable, make: Callable[[], httpx2.AsyncClient]) -> SharedClient:
        """The client that is open for `same`, or a new one. Whoever gets it closes it.

        Args:
            same: equal for backends that may share a client.
            make: makes the client.
        """
        return SharedClient(self.shared.take(("client", same), make))
