"""Engines of tiny checkpoints."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backends.local.questions import Open, opener

Copy = Callable[..., Path]
"""Copies the tiny LLaVA into a new folder of this name."""


@pytest.fixture
def engine(checkpoint: Callable[[str], Path]) -> Open:
    """Opens an engine: the family or a folder, and settings by name."""
    pytest.importorskip("transformers")
    return opener(checkpoint)


@pytest.fixture
def copy(checkpoint: Callable[[str], Path], tmp_path: Path) -> Copy:
    """A copy of the tiny LLaVA that a test may damage."""

    def made(name: str = "copy") -> Path:
        return shutil.copytree(checkpoint("llava"), tmp_path / name)

    return made


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cached(checkpoint: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a repository that was fetched before."""
    from huggingface_hub import constants

    repository = tmp_path / "models--sixlens-tests--llava"
    shutil.copytree(checkpoint("llava"), repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return "sixlens-tests/llava"
