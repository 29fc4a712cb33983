from __future__ import annotations

import sys

import pytest

pytest.importorskip("torch")


def test_operators_are_declared_once() -> None:
    from backends.local.operators import import_torchvision

    assert import_torchvision() is import_torchvision()
    if import_torchvision() is not None:
        assert "torchvision" in sys.modules
