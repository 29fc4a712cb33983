"""What tests of several folders share: tiny checkpoints. They need the extra `local`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny checkpoint with random weights, by the name of its family; built when first asked for."""
    pytest.importorskip("torch")
    from tests.checkpoints.families import build

    folders: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in folders:
            folders[family] = build(family, tmp_path_factory.mktemp("checkpoints") / family)
        return folders[family]

    return folder
