"""What tests of several folders share: Ctrl-C as at a terminal, and tiny checkpoints, which need the extra `local`."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Shells have jobs in the background ignore Ctrl-C, and the programs that the tests start would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
