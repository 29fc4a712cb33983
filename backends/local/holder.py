"""A model as its worker's thread holds it: looked at, loaded when it is needed, and again after it was released."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backends.backend import Capabilities
from backends.local.engine import Engine, OutOfMemoryError, Prospect, Wanted, Written
from backends.request import Request


class Holder:
    """The engine and what is known of it. All methods are called in one thread, and may take long.

    Args:
        survey: looks at the model's small files.

    """

    def __init__(self, survey: Callable[[], Prospect]) -> None:
        self._survey = survey
        self._engine: Engine | None = None
        self.prospect: Prospect | None = None
        """What is known without the weights; None before `look`."""
        self.occupied = False
        """Busy with something that cannot be stopped: looking or loading."""

    @property
    def capabilities(self) -> Capabilities | None:
        """What the model can do; None before `look`."""
        engine, prospect = self._engine, self.prospect
        return engine.capabilities if engine is not None else prospect.capabilities if prospect is not None else None

    def look(self) -> Prospect:
        """What is known of the model without its weights.

        Raises:
            ConfigError: it cannot be loaded.
        """
        if self.prospect is None:
            self.occupied = True
            try:
                self.prospect = self._survey()
            finally:
                self.occupied = False
        return self.prospect

    def open(self) -> bool:
        """Load the weights, unless they are here; False when the device has no room for them.

        Raises:
            ConfigError: they cannot be loaded.
        """
        if self._engine is None:
            prospect = self.look()
            self.occupied = True
            try:
                self._engine = prospect.load()
            except OutOfMemoryError:
                # Not handed on as an error: its traceback would keep what was loaded alive while there is another try.
                return False
            finally:
                self.occupied = False
        return True

    def write(self, requests: Sequence[Request], wanted: Wanted) -> dict[int, Written] | None:
        """The answers by the place of their request, or None when the batch does not fit. The model must be open.

        What nobody wants by now is left out. Raises what the engine raises.
        """
        if self._engine is None:
            raise RuntimeError("nothing is loaded")
        left = [place for place in range(len(requests)) if wanted(place)]
        if not left:
            return {}
        try:
            written = self._engine.write([requests[place] for place in left], lambda index: wanted(left[index]))
        except OutOfMemoryError:
            # Not handed on as an error: its traceback would keep tensors alive while a smaller batch is tried.
            return None
        except StopIteration as error:
            raise RuntimeError("an iterator of the engine ended too early") from error  # a future carries no such error
        if len(written) != len(left):
            raise RuntimeError(f"the engine gave {len(written)} answers to {len(left)} requests")
        return dict(zip(left, written, strict=True))

    def close(self) -> None:
        """Release the weights, if they are here."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
