"""How many requests go into a batch, as the device allows."""

from __future__ import annotations

GROWS_AFTER = 16
"""Full batches that fitted before a larger one is tried."""


class BatchSize:
    """Halved when a batch does not fit, and doubled again after a while: what took the room may be gone.

    Args:
        most: the largest size.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._fitted = 0
        self.now = most
        """How many requests the next batch may hold; at least 1."""

    def fits(self, size: int) -> None:
        """A batch of this size was computed."""
        if size < self.now or self.now == self._most:
            return
        self._fitted += 1
        if self._fitted == GROWS_AFTER:
            self.now, self._fitted = min(self._most, 2 * self.now), 0

    def does_not_fit(self, size: int) -> None:
        """A batch of this size, at least 2, did not fit."""
        self.now, self._fitted = min(self.now, size // 2), 0
