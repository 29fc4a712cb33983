"""Who gives a picture a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

MAX_SCORE = 1e12
"""The largest size of a score, inclusive; sums over many of them stay finite."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The picture that is to get a score, as it was found."""

    data: bytes
    """The original file."""
    sha256: str
    """Of `data`, hexadecimal."""
    path: str | None
    """As the user gave it; None for a picture that is no file, such as a changed copy of one."""
    case: str | None = None
    """Its name in a data set; None where it stands in none."""


class Scorer(Protocol):
    """Gives pictures a score."""

    async def score(self, picture: Scored) -> float | None:
        """A number of at most `MAX_SCORE` in size, higher for generated; None when nothing is known of this picture.

        Raises:
            BackendError: no answer came, or one that is no score.
        """
        ...
