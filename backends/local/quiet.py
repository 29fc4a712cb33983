"""Keeps what the libraries under a local model say beside their work off the terminal and off the network."""

from __future__ import annotations

import os
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
    if os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS") is None:
        hub.disable_progress_bars()
