"""The beginnings that prompts share, computed once: what attention keeps of them (keys and values)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from backends.local.row import Row, in_common, whole_pictures

KEPT_BYTES = 512 * 1024 * 1024
"""How much memory the beginnings kept for later batches may take, on the model's device."""

Layers = tuple[tuple[torch.Tensor, torch.Tensor], ...]
"""Keys and values of each layer: (1, heads, tokens, width)."""


@dataclass(frozen=True, slots=True, eq=False)
class Prefix:
    """A beginning, and what attention keeps of it."""

    row: Row
    layers: Layers

    @property
    def bytes(self) -> int:
        """The memory it takes."""
        return sum(tensor.nbytes for pair in self.layers for tensor in pair)


class PrefixStore:
    """The beginnings used last, up to `KEPT_BYTES`."""

    def __init__(self) -> None:
        self._kept: list[Prefix] = []

    def longest(self, row: Row) -> tuple[Prefix | None, int]:
        """What is kept that has the most tokens in common with the row's beginning, and how many they are."""
        best, most = None, 0
        for prefix in self._kept:
            length = whole_pictures(row, in_common([row, prefix.row]))
            if length > most:
                best, most = prefix, length
        return best, most

    def keep(self, prefix: Prefix) -> None:
        """Keep it; what it contains, and what was used longest ago, go."""
        others = [kept for kept in self._kept if in_common([kept.row, prefix.row]) < len(kept.row)]
        self._kept = [prefix, *others]
        while self._kept and sum(kept.bytes for kept in self._kept) > KEPT_BYTES:
            self._kept.pop()

    def touch(self, prefix: Prefix) -> None:
        """Count it as used now."""
        self._kept.sort(key=lambda kept: kept is not prefix)

    def clear(self) -> None:
        """Let go of all of them."""
        self._kept.clear()


def room_of(config: Any) -> int | None:
    """Up to how many tokens keys and values can be shared in models of this configuration; 0 not at all, None always.

    Rows with a shared beginning have a gap behind it, where the shorter ones are filled up. Layers that look back over
    a window of places would count the gap, so with them everything must fit into the window. Layers that keep a running
    state instead of keys and values cannot be cut at a token.
    """
    kinds = {type(layer) for layer in DynamicCache(config=config).layers}
    if not kinds or kinds <= {DynamicLayer}:
        return None
    return int(config.sliding_window) if kinds <= {DynamicLayer, DynamicSlidingWindowLayer} else 0


def groups(rows: Sequence[Row]) -> list[list[int]]:
    """The indices of rows that go together: the same words and picture up to the end of the first picture."""
    found: list[list[int]] = []
    for index, row in enumerate(rows):
        for group in found:
            first = rows[group[0]]
            if bool(first.spans) != bool(row.spans):
                continue
            if not row.spans or (row.spans[0] == first.spans[0] and in_common([first, row]) >= row.spans[0].end):
                group.append(index)
                break
        else:
            found.append([index])
    return found


def shared_length(rows: Sequence[Row]) -> int:
    """How many tokens to compute once for these rows: all they have in common, with one left for each to go on from."""
    return whole_pictures(rows[0], min(in_common(rows), min(len(row) for row in rows) - 1))


def cut(cache: Any, length: int) -> Layers:
    """The first tokens of a cache of one row, as a copy that later steps do not change."""
    return tuple((layer.keys[:, :, :length].clone(), layer.values[:, :, :length].clone()) for layer in cache.layers)


def laid_out(config: Any, prefixes: Sequence[Prefix | None], lengths: Sequence[int]) -> Any:
    """One cache for a batch: row i begins with the first `lengths[i]` tokens of `prefixes[i]`, flush right.

    The places before them hold zeros and must be masked.
    """
    cache = DynamicCache(config=config)
    sample = next((prefix for prefix in prefixes if prefix is not None), None)
    if sample is None:
        return cache
    width = max(lengths)
    for index, (keys, values) in enumerate(sample.layers):
        pair = []
        for which, like in enumerate((keys, values)):
            filled = like.new_zeros(len(prefixes), like.shape[1], width, like.shape[3])
            for place, (prefix, length) in enumerate(zip(prefixes, lengths, strict=True)):
                if prefix is not None and length:
                    filled[place, :, width - length :] = prefix.layers[index][which][0, :, :length]
            pair.append(filled)
        cache.update(pair[0], pair[1], index)
    return cache
