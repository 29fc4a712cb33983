"""Pictures remembered by a few bytes each, so that they are known again when somebody would test on them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from backends.images.likeness import NEAR

DIGEST, LOOK = 6, 16
"""Bytes of a picture's digest, and of what it looks like."""
Words = npt.NDArray[np.uint64]


def packed(parts: Iterable[bytes]) -> str:
    """Parts of equal length, each once, as one text."""
    return base64.b64encode(b"".join(sorted(set(parts)))).decode()


def unpacked(text: str, size: int) -> tuple[bytes, ...]:
    """The parts of a text, each of so many bytes.

    Raises:
        ValueError: the text does not hold such parts.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("this is no base64") from error
    if len(data) % size:
        raise ValueError(f"this does not hold parts of {size} bytes")
    return tuple(data[start : start + size] for start in range(0, len(data), size))


def digest_of(sha256: str) -> bytes:
    """What is remembered of a digest, which is hexadecimal."""
    return bytes.fromhex(sha256[: 2 * DIGEST])


def look_of(likeness: int) -> bytes:
    """What is remembered of a likeness."""
    return likeness.to_bytes(LOOK)


def alike(likenesses: Sequence[int | None], looks: Collection[bytes]) -> tuple[bool, ...]:
    """Whether each likeness is that of a copy of any of the pictures; an unknown one is like nothing."""
    known = _words(looks)
    return tuple(
        it is not None
        and bool((np.bitwise_count(known ^ _words((look_of(it),))).sum(axis=1, dtype=np.int64) <= NEAR).any())
        for it in likenesses
    )


def _words(looks: Collection[bytes]) -> Words:
    return np.frombuffer(b"".join(looks), dtype=">u8").reshape(-1, 2).astype(np.uint64)
