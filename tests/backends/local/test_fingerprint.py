from __future__ import annotations

import os
from pathlib import Path

import pytest

from backends.local import fingerprint
from backends.local.fingerprint import digest_of


def test_the_digest_is_that_of_the_files_that_count(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    first = digest_of(tmp_path)
    (tmp_path / "README.md").write_text("about")
    os.utime(tmp_path / "config.json", (0, 0))
    assert digest_of(tmp_path) == first
    (tmp_path / "chat_template.jinja").write_text("x")
    second = digest_of(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"weightz")
    assert len({first, second, digest_of(tmp_path)}) == 3


def test_long_files_are_sampled_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("_WHOLE", 100), ("_BLOCKS", 11), ("_BLOCK", 10)):
        monkeypatch.setattr(fingerprint, name, value)
    weights = tmp_path / "model.safetensors"
    data = bytearray(1010)
    weights.write_bytes(data)
    seen = {digest_of(tmp_path)}
    for place in (0, 105, 505, 1009):
        changed = bytearray(data)
        changed[place] = 1
        weights.write_bytes(changed)
        seen.add(digest_of(tmp_path))
    assert len(seen) == 5
    weights.write_bytes(data + b"\0")
    assert digest_of(tmp_path) not in seen
