"""What several backends of one owner share, for example a loaded model: made once, closed when the last one lets go.

```python
lease = shared.take(("model", source), make)  # made now, or made before for the same key
lease.item
await lease.aclose()  # the item is closed with the last lease
```
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar


class Closable(Protocol):
    """Something that holds memory, threads or connections."""

    async def aclose(self) -> None:
        """Release them."""
        ...


Item = TypeVar("Item", bound=Closable)
Kind = TypeVar("Kind")


@dataclass(slots=True)
class _Held:
    item: Any
    users: int = 0


class Shared:
    """Items by key. For one event loop; whoever makes it hands it to all who are to share."""

    def __init__(self) -> None:
        self._held: dict[Hashable, _Held] = {}

    def take(self, key: Hashable, make: Callable[[], Item]) -> Lease[Item]:
        """The item of this key, made with `make` unless somebody holds it. The key says what kind of item it is."""
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = _Held(make())
        held.users += 1
        return Lease(self, key, held.item)

    def held(self, kind: type[Kind]) -> list[Kind]:
        """The items of this kind, those held longest first."""
        return [held.item for held in self._held.values() if isinstance(held.item, kind)]

    async def _give_back(self, key: Hashable) -> None:
        held = self._held[key]
        held.users -= 1
        if held.users == 0:
            del self._held[key]
            await held.item.aclose()


class Lease(Generic[Item]):
    """The right to use an item until `aclose`.

    Args:
        shared: where the item is held.
        key: under which key.
        item: the item.

    """

    def __init__(self, shared: Shared, key: Hashable, item: Item) -> None:
        self._shared = shared
        self._key = key
        self._over = False
        self.item = item

    async def aclose(self) -> None:
        """Let go of the item; may be called more than once."""
        if not self._over:
            self._over = True
            await self._shared._give_back(self._key)
