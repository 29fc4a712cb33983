"""Keeps what the libraries under a local model say beside their work off the terminal and off the network."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from importlib import import_module
from typing import Any


def no_telemetry() -> None:
    """Have the Hugging Face libraries report nothing to anybody; to be called before they are imported."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def no_chatter() -> None:
    """Switch their progress bars and warnings off: what went wrong comes back as an error."""
    transformers: Any = import_module("transformers.utils.logging")
    hub: Any = import_module("huggingface_hub.utils")
    hub_speaks: Any = import_module("huggingface_hub.utils.logging")
    transformers.set_verbosity_error()
    hub_speaks.set_verbosity_error()
    transformers.disable_progress_bar()
    if not _chosen():
        hub.disable_progress_bars()


@contextlib.contextmanager
def fetching_shown() -> Iterator[None]:
    """Let the hub's library show in a terminal how far it is, while it fetches what takes minutes."""
    hub: Any = import_module("huggingface_hub.utils")
    hidden = hub.are_progress_bars_disabled() and not _chosen()
    if hidden:
        hub.enable_progress_bars()
    try:
        yield
    finally:
        if hidden:
            hub.disable_progress_bars()


def _chosen() -> bool:
    """Whether the user has said if bars are wanted."""
    return os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS") is not None
