"""The door to models run in this process; torch is imported behind it, and not before."""

from __future__ import annotations

import functools
from importlib.util import find_spec

from backends.errors import MissingExtraError
from backends.local.engine import Prospect
from backends.local.settings import LocalSettings


def survey(source: str, settings: LocalSettings) -> Prospect:
    """Look at a model without loading its weights. Takes seconds, most of which go into importing torch.

    Args:
        source: a folder, or a repository on the Hugging Face hub, of which small files are fetched.
        settings: how to load and run it.

    Raises:
        ConfigError: there is no such model, or it cannot be run here; says what to do.
        MissingExtraError: the extra `local` is not installed.

    """
    if any(find_spec(name) is None for name in ("torch", "transformers", "accelerate")):
        raise MissingExtraError("The hf: backend", "local")
    from backends.local.operators import import_torchvision

    # Before anything of transformers that handles pictures, which would import it without this care.
    import_torchvision()
    from backends.local.blueprint import Blueprint
    from backends.local.transformers_engine import TransformersEngine

    blueprint = Blueprint(source, settings)
    load = functools.partial(TransformersEngine, blueprint)
    return Prospect(blueprint.name, blueprint.revision, blueprint.capabilities, load, blueprint.fetches)
