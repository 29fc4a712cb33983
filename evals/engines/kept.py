"""Models that one arm loaded, kept for the next arm that asks them."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from backends.shared import Closable, Item, Lease, Shared


class KeptModels(Shared):
    """What the Judges of a run share, one after the other: nothing is closed before `let_go`."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[Hashable, Lease[Closable]] = {}

    def take(self, key: Hashable, make: Callable[[], Item]) -> Lease[Item]:
        """The item of this key, made when it is first asked for."""
        lease = super().take(key, make)
        if key not in self._kept:
            self._kept[key] = Lease(self, key, super().take(key, make).item)
        return lease

    async def let_go(self) -> None:
        """Close what no Judge holds any more."""
        while self._kept:
            _, lease = self._kept.popitem()
            await lease.aclose()
