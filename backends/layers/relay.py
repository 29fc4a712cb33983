"""An observer that passes on what it hears; a layer subclasses it to listen in."""

from __future__ import annotations

from backends.completion import Completion
from backends.request import Observer


class Relay:
    """Passes every event on to `observer`, if there is one."""

    def __init__(self, observer: Observer | None) -> None:
        self._observer = observer

    def on_slot(self) -> None:
        """The limiter granted a slot."""
        if self._observer is not None:
            self._observer.on_slot()

    def on_attempt(self) -> None:
        """An attempt goes out to the provider."""
        if self._observer is not None:
            self._observer.on_attempt()

    def on_completion(self, completion: Completion) -> None:
        """An answer came."""
        if self._observer is not None:
            self._observer.on_completion(completion)
