"""Engines of tiny checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backends.local.questions import Open, opener


@pytest.fixture
def engine(checkpoint: Callable[[str], Path]) -> Open:
    """Opens an engine: the family or a folder, and settings by name."""
    pytest.importorskip("transformers")
    return opener(checkpoint)
