from __future__ import annotations

import pytest

from backends.errors import MissingExtraError
from backends.local import load
from backends.local.settings import LocalSettings


def test_the_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install -c constraints.txt -e '.\[local\]'"):
        load.survey("anything", LocalSettings())
