from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "Containerfile").read_text("utf-8").splitlines()


def test_what_is_copied_is_not_ignored_and_nothing_else_is_sent() -> None:
    copied = {
        name for line in LINES if line.startswith("COPY ") and "--from" not in line for name in line.split()[1:-1]
    }
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert ignored.index("*") < ignored.index("!pyproject.toml")
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)
