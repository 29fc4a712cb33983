"""What is said of models that cannot be used: one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backends.errors import ConfigError
from backends.local.load import survey
from backends.local.settings import LocalSettings


def at_sight(source: str | Path, **settings: Any) -> str:
    """What is said before the weights are loaded."""
    with pytest.raises(ConfigError) as caught:
        survey(str(source), LocalSettings(**settings))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def when_loaded(source: str | Path, **settings: Any) -> str:
    """What is said only when they are."""
    prospect = survey(str(source), LocalSettings(**settings))
    with pytest.raises(ConfigError) as caught:
        prospect.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)
