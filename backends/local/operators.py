"""Lets a torchvision be imported whose compiled part does not fit the torch beside it."""

from __future__ import annotations

import functools
import importlib
from importlib.util import find_spec
from typing import Any

from backends.errors import ConfigError

_OPERATORS = ("nms", "qnms")
_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@functools.cache
def import_torchvision() -> Any:
    """Import torchvision, if it is installed, and return what has to live on for it to work.

    The usual wheel is built for CUDA. Beside a torch for CPUs its compiled operators cannot be loaded, which it bears
    itself, but for two of them that it looks up while it is imported. Declared, they may be missing: resizing and
    normalising, which is all that processors of pictures ask of it, are written in Python.

    Raises:
        ConfigError: it cannot be imported for another reason.
    """
    if find_spec("torchvision") is None:
        return None
    try:
        return importlib.import_module("torchvision")
    except (ImportError, OSError, RuntimeError) as error:
        if "torchvision::" not in str(error):
            raise ConfigError(
                f"torchvision does not work beside this torch; install one that fits ({error})."
            ) from error
    import torch

    make: Any = torch.library.Library  # has no types
    library = make("torchvision", "DEF")
    for name in _OPERATORS:
        library.define(name + _SIGNATURE)
    return library, importlib.import_module("torchvision")
