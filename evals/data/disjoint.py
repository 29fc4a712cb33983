"""Keeping what was shown or learned before out of a test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backends.errors import ConfigError
from evals.data.copies import overlap
from evals.data.folder import few
from evals.data.item import Item
from paradigms.exemplars import load_exemplars

MOST_DECODED = 2000
"""Cases up to which every picture is decoded to tell re-encoded copies of exemplars."""


def refuse_overlap(ones: Sequence[Item], others: Sequence[Item], what: str, *, near: bool = True) -> None:
    """Refuse a test whose pictures were shown or learned before.

    Args:
        ones: the cases of the test.
        others: what they must not be among.
        what: what the others are, in the plural, for example `exemplars`.
        near: also tell copies that were re-encoded or resized; every picture is decoded for it.

    Raises:
        ConfigError: there are common pictures.
    """
    common = overlap(ones, others, near=near)
    if common:
        shown = few([f"{pair.one.case} ({'the same file' if pair.exact else 'a copy'})" for pair in common])
        raise ConfigError(f"{len(common)} cases are among the {what}: {shown}. Exclude them with `data.exclude`.")


def refuse_exemplars(items: Sequence[Item], path: Path) -> None:
    """Refuse a test with the exemplars of an ensemble in it.

    In a data set of more than `MOST_DECODED` cases only the same files are told here; a copy is told when it is judged,
    and then not shown beside itself.

    Args:
        items: the cases of the test.
        path: the exemplars' folder or manifest.

    Raises:
        ConfigError: there are some, or the exemplars cannot be read.
    """
    pictures = [exemplar.picture for exemplar in load_exemplars(path) if exemplar.picture is not None]
    shown = [Item(picture.name, picture, size=picture.stat().st_size) for picture in pictures]
    if shown:
        refuse_overlap(items, shown, "exemplars", near=len(items) <= MOST_DECODED)
