"""The door to models run in this process; torch is imported behind it, and not before."""

from __future__ import annotations

from importlib.util import find_spec

from backends.errors import MissingExtraError
from backends.local.engine import Engine
from backends.local.settings import LocalSettings


def load_engine(source: str, settings: LocalSettings) -> Engine:
    """Load a model into this process. Takes seconds to minutes.

    Args:
        source: a folder, or a repository on the Hugging Face hub.
        settings: how to load and run it.

    Raises:
        ConfigError: there is no such model, or it cannot be run here; says what to do.
        MissingExtraError: the extra `local` is not installed.
        OutOfMemoryError: the device has no room for it.

    """
    if any(find_spec(name) is None for name in ("torch", "transformers", "accelerate")):
        raise MissingExtraError("The hf: backend", "local")
    from backends.local.operators import import_torchvision

    # Before anything of transformers that handles pictures, which would import it without this care.
    import_torchvision()
    from backends.local.transformers_engine import TransformersEngine

    return TransformersEngine(source, settings)
