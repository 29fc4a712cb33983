"""What tells one checkpoint from another: a digest of its files."""

from __future__ import annotations

import hashlib
from pathlib import Path

WEIGHTS = ".safetensors"
_WHOLE = 64 * 1024 * 1024
"""Bytes up to which a file is read whole; longer ones are sampled."""
_BLOCKS = 1024
_BLOCK = 16 * 1024


def digest_of(folder: Path) -> str:
    """A hex digest that changes when a file of the checkpoint does.

    Small files count whole. Of weights longer than 64 MiB, the length and 1,024 blocks of 16 KiB spread evenly count,
    the first and the last among them: reading all of a large model would take as long as loading it. Blocks lie at most
    a thousandth of the file apart, so weights that were trained further differ in some of them. When a file was written
    does not count: a copy on another machine is the same checkpoint.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file() and _counts(path)):
        length = path.stat().st_size
        digest.update(f"{path.name}\0{length}\0".encode())
        with path.open("rb") as file:
            if length <= _WHOLE:
                digest.update(file.read())
                continue
            for block in range(_BLOCKS):
                file.seek((length - _BLOCK) * block // (_BLOCKS - 1))
                digest.update(file.read(_BLOCK))
    return digest.hexdigest()


def _counts(path: Path) -> bool:
    """Configuration, vocabulary, templates and weights; not what people put beside them."""
    return path.suffix in {".json", ".jinja", ".model", ".txt", WEIGHTS}
