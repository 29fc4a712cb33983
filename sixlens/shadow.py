"""The top-level packages beside `sixlens` have common names; something else of that name must not take their place."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

OURS = ("evals", "orchestrator", "fusion", "paradigms", "backends", "prompts")
"""The packages that come with `sixlens`, in the same folder."""


def refuse_shadows(modules: Mapping[str, ModuleType] = sys.modules) -> None:
    """Make sure that our packages are the ones that Python finds. None of them is imported for it.

    Args:
        modules: what is already imported, by name.

    Raises:
        ImportError: Python finds another module of that name first, or none; the message says where and what to do.
    """
    home = Path(__file__).resolve().parent.parent
    for name in OURS:
        found = _place(name, modules)
        if found is None:
            raise ImportError(
                f"sixlens lacks its package {name!r}; install it again: pip install --force-reinstall sixlens"
            )
        if found.parent != home:
            raise ImportError(
                f"sixlens needs its own package {name!r} (in {home}), but Python finds {found} first. "
                "Rename that file or folder, or start Python from another folder."
            )


def _place(name: str, modules: Mapping[str, ModuleType]) -> Path | None:
    """The folder or file that Python takes for a top-level module, links followed; None if there is none."""
    loaded = modules.get(name)
    spec = find_spec(name) if loaded is None else loaded.__spec__
    file = getattr(loaded, "__file__", None) if spec is None else spec.origin
    folders = list(spec.submodule_search_locations or ()) if spec is not None else list(getattr(loaded, "__path__", ()))
    if folders:
        return Path(folders[0]).resolve()
    return Path(file).resolve() if file is not None else None
