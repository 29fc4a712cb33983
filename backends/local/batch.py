"""Rows as the tensors that a model of transformers takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from backends.local.encoding import Encoding, side_by_side
from backends.local.row import Row, Span


@dataclass(frozen=True, slots=True)
class InputNames:
    """Which of the inputs that families differ in a model takes."""

    kinds: str | None
    """What it calls the kind of each token, if it asks."""
    grid: bool
    """Whether positions depend on the sizes of pictures."""


def batch_inputs(
    rows: Sequence[Row], begun: Sequence[int], encodings: dict[str, Encoding], names: InputNames, pad: int, device: Any
) -> dict[str, Any]:
    """The inputs for `generate`.

    Each row is laid out as filling, beginning, filling, rest: beginnings end at one column and rests at the last one,
    as the cache that holds the beginnings is laid out (`prefix.laid_out`).

    Args:
        rows: the prompts.
        begun: how many tokens of each are in the cache already; all 0 without one.
        encodings: by key, those of every picture of the rows.
        names: which inputs the model takes.
        pad: the token to fill up with.
        device: where the tensors are to be.

    """
    before = max(begun)
    after = max(len(row) - start for row, start in zip(rows, begun, strict=True))
    tokens = torch.full((len(rows), before + after), pad, dtype=torch.long)
    mask, kinds = torch.zeros_like(tokens), torch.zeros_like(tokens)
    for index, (row, start) in enumerate(zip(rows, begun, strict=True)):
        spots = torch.cat([torch.arange(before - start, before), torch.arange(len(row) - start) + before + after])
        spots[start:] -= len(row) - start
        tokens[index, spots] = torch.from_numpy(row.tokens)
        kinds[index, spots] = torch.from_numpy(row.kinds)
        mask[index, spots] = 1
    inputs: dict[str, Any] = {"input_ids": tokens.to(device), "attention_mask": mask.to(device)}
    if names.kinds is not None:
        inputs[names.kinds] = kinds.to(device)
    grids = [encodings[span.key].grid for row in rows for span in row.spans]
    if names.grid and grids:
        inputs["image_grid_thw"] = torch.cat([grid for grid in grids if grid is not None])
    new: list[Span] = [span for row, start in zip(rows, begun, strict=True) for span in row.spans_from(start)]
    if new:
        inputs["mm_encoder_outputs"] = {"image": side_by_side([encodings[span.key] for span in new])}
    return inputs
