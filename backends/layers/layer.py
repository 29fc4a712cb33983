"""What every layer has in common: it wraps a backend and passes on what it does not change."""

from __future__ import annotations

from backends.backend import Backend, Capabilities


class Layer:
    """A wrapper around a backend; a subclass adds `complete`."""

    def __init__(self, inner: Backend) -> None:
        self._inner = inner

    @property
    def spec(self) -> str:
        """The spec of the backend inside."""
        return self._inner.spec

    @property
    def capabilities(self) -> Capabilities:
        """What the backend inside can do."""
        return self._inner.capabilities

    async def aclose(self) -> None:
        """Close the backend inside."""
        await self._inner.aclose()
