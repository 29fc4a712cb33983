"""A model as its worker's thread holds it: loaded with the first request, and again after it was released."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backends.backend import Capabilities
from backends.errors import DeviceMemoryError
from backends.local.engine import Engine, OutOfMemoryError, Written
from backends.request import Request


@dataclass(frozen=True, slots=True)
class Known:
    """What a loaded model says of itself, as `Engine` has it."""

    name: str
    revision: str
    capabilities: Capabilities


class Holder:
    """The engine and what is known of it. All methods but `stop` are called in one thread, and may take long.

    Args:
        load: loads the model.
        source: what is loaded, in messages.

    """

    def __init__(self, load: Callable[[], Engine], source: str) -> None:
        self._load = load
        self._source = source
        self._engine: Engine | None = None
        self.known: Known | None = None
        """What the model said of itself when it was loaded last; None before."""
        self.loading = False

    @property
    def loaded(self) -> bool:
        """Whether the model is there now."""
        return self._engine is not None

    def open(self) -> Engine:
        """The loaded model.

        Raises:
            DeviceMemoryError: the device has no room for the weights.
            ConfigError: it cannot be loaded.
        """
        if self._engine is None:
            self.loading = True
            try:
                self._engine = self._load()
            except OutOfMemoryError as error:
                text = f"There is no room for the weights of {self._source}; try `local: {{dtype: bfloat16}}`, "
                text += "`local: {quantization: int4}`, another `local.device`, or a smaller model."
                raise DeviceMemoryError(text, provider="hf", model=self._source) from error
            finally:
                self.loading = False
            engine = self._engine
            self.known = Known(engine.name, engine.revision, engine.capabilities)
        return self._engine

    def write(self, requests: Sequence[Request]) -> list[Written] | None:
        """The answers, or None when the batch does not fit. Raises what the engine raises, and as `open` does."""
        engine = self.open()
        try:
            written = engine.write(requests)
        except OutOfMemoryError:
            # Not handed on as an error: its traceback would keep tensors alive while a smaller batch is tried.
            return None
        except StopIteration as error:
            raise RuntimeError("an iterator of the engine ended too early") from error  # a future carries no such error
        if len(written) != len(requests):
            raise RuntimeError(f"the engine gave {len(written)} answers to {len(requests)} requests")
        return written

    def stop(self) -> None:
        """End the `write` under way; from any thread."""
        engine = self._engine
        if engine is not None:
            engine.stop()

    def close(self) -> None:
        """Release the model, if it is loaded."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
