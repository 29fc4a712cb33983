"""Files of the same content, and pictures that are copies of one though their files differ."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from backends.errors import ConfigError, ImageError
from backends.images.likeness import NEAR, likeness
from evals.data.folder import few
from evals.data.item import Item
from evals.data.listing import Listing

_WORKERS = min(4, os.cpu_count() or 1)
_MOST_PAIRS = 100_000
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Overlap:
    """A picture that is in two places."""

    one: Item
    other: Item
    exact: bool
    """The same file; otherwise a copy that was re-encoded or resized, as far as a few bits of it tell."""


def drop_copies(listing: Listing, policy: Literal["drop", "keep", "refuse"]) -> None:
    """Do with files of the same content what the policy says. Of each, the first by name stays.

    Raises:
        ConfigError: there are some, and they are refused.
    """
    groups = same_files(listing.items)
    if not groups:
        return
    split = [group for group in groups if len({item.truth for item in group if item.truth is not None}) > 1]
    shown = few(["=".join(item.case for item in group) for group in groups])
    if policy == "refuse":
        raise ConfigError(f"{len(groups)} pictures are there more than once: {shown}. Remove the copies.")
    if split:
        pairs = few([" and ".join(item.case for item in group[:2]) for group in split])
        fate = "none of them is used" if policy == "drop" else "at least one of each is labelled wrongly"
        listing.warnings.append(f"{len(split)} pictures stand under both labels, and {fate}: {pairs}.")
    if policy == "keep":
        listing.warnings.append(f"{len(groups)} pictures are there more than once and were kept: {shown}.")
        return
    contested = {item.case for group in split for item in group}
    surplus = {item.case for group in groups for item in group[1:]} | contested
    listing.items = [item for item in listing.items if item.case not in surplus]
    listing.notes.append(f"{len(surplus)} files whose content is there already were left out: {shown}.")


def same_files(items: Iterable[Item]) -> list[list[Item]]:
    """Groups of two or more items whose files are the same, each in the order of the names.

    Only files of equal size are read.
    """
    sizes: defaultdict[int, list[Item]] = defaultdict(list)
    for item in items:
        sizes[item.size].append(item)
    candidates = [item for group in sizes.values() if len(group) > 1 for item in group]
    contents: defaultdict[str, list[Item]] = defaultdict(list)
    for item, digest in zip(candidates, _in_threads(lambda item: item.digest, candidates), strict=True):
        if digest is not None:
            contents[digest].append(item)
    groups = [sorted(group, key=lambda item: item.case) for group in contents.values() if len(group) > 1]
    return sorted(groups, key=lambda group: group[0].case)


def near_copies(listing: Listing) -> None:
    """Warn of pictures that look like copies of one. Every picture is decoded."""
    pairs = _alike(listing.items, listing.items)
    if not pairs:
        return
    across = [f"{a.case} ~ {b.case}" for a, b in pairs if None not in (a.truth, b.truth) and a.truth is not b.truth]
    if across:
        listing.warnings.append(f"{len(across)} pairs look like copies, under different labels: {few(across)}.")
    rest = [f"{a.case} ~ {b.case}" for a, b in pairs]
    listing.warnings.append(
        f"{len(rest)} pairs of pictures look like copies of each other, so they are not independent: {few(rest)}."
    )


def overlap(ones: Sequence[Item], others: Sequence[Item], *, near: bool = True) -> tuple[Overlap, ...]:
    """The pictures of the one set that are also in the other.

    Args:
        ones: for example the cases of a test.
        others: for example the exemplars, or what a calibration was fitted on.
        near: also tell copies that were re-encoded or resized; pictures are decoded for it.
    """
    sizes = {item.size for item in others}
    digests = {item.digest: item for item in others if item.digest is not None}
    exact = [(item, digests[item.digest]) for item in ones if item.size in sizes and item.digest in digests]
    same = {(one.case, other.case) for one, other in exact}
    copies = _alike(ones, others) if near else []
    return (
        *(Overlap(one, other, exact=True) for one, other in exact),
        *(Overlap(one, other, exact=False) for one, other in copies if (one.case, other.case) not in same),
    )


def _alike(ones: Sequence[Item], others: Sequence[Item]) -> list[tuple[Item, Item]]:
    """Pairs whose bits are alike; within one set each pair once and none with itself."""
    first, bits = _bits(ones)
    second, other_bits = (first, bits) if others is ones else _bits(others)
    pairs: list[tuple[Item, Item]] = []
    for place, item in enumerate(first):
        start = place + 1 if others is ones else 0
        distance = np.bitwise_count(other_bits[start:] ^ bits[place]).sum(axis=1)
        pairs += [(item, second[start + int(at)]) for at in np.flatnonzero(distance <= NEAR)]
        if len(pairs) > _MOST_PAIRS:
            raise ConfigError(f"More than {_MOST_PAIRS:,} pairs of pictures are alike; is this a video's frames?")
    return pairs


def _bits(items: Sequence[Item]) -> tuple[list[Item], np.ndarray[tuple[int, int], np.dtype[np.uint64]]]:
    """The items that can be told from others, and their 128 bits in two words each."""
    told = [(item, bits) for item, bits in zip(items, likenesses(items), strict=True) if bits is not None]
    words = np.array([(bits >> 64, bits & (2**64 - 1)) for _, bits in told], dtype=np.uint64).reshape(-1, 2)
    return [item for item, _ in told], words


def likenesses(items: Sequence[Item]) -> list[int | None]:
    """The likeness of every item; None for one that cannot be told from others. Every picture is decoded."""
    return _in_threads(_likeness, items)


def _likeness(item: Item) -> int | None:
    try:
        with item.load() as image:
            return likeness(image.pixels())
    except ImageError:
        return None  # it costs only itself, when it is to be judged


def _in_threads(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """The work on every item, in their order; reading and decoding leave the interpreter free for other threads."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        return list(pool.map(work, items))
