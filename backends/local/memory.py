"""When the device has no room, and how to hand memory back."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

import torch

from backends.errors import BackendError
from backends.local.conversation import first_line
from backends.local.engine import OutOfMemoryError

_WORDS = ("out of memory", "not enough memory", "can't allocate memory", "_status_alloc_failed")
"""What torch says besides raising an error of its own kind: on a CPU and on MPS, and for what CUDA's libraries take for
themselves (CUBLAS_STATUS_ALLOC_FAILED, CUDNN_STATUS_ALLOC_FAILED), it raises a plain `RuntimeError`."""


def lacks_memory(error: RuntimeError) -> bool:
    """Whether this is how torch says that there is no room."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error).lower() for words in _WORDS)


@contextlib.contextmanager
def memory_told() -> Iterator[None]:
    """Turn what torch says when there is no room into `OutOfMemoryError`, and its other failures into one line.

    Raises:
        OutOfMemoryError: the device has no room.
        BackendError: torch failed otherwise.
    """
    try:
        yield
    except RuntimeError as error:
        if lacks_memory(error):
            raise OutOfMemoryError(first_line(error)) from error
        raise BackendError(f"The model failed to compute: {first_line(error)}") from error


def release_memory() -> None:
    """Hand memory back that nothing holds any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
