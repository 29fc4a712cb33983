"""Writing the answers of a batch: every row by its own schema, length, seed and wish for probabilities."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import LogitsProcessor, StoppingCriteria

from backends.completion import KEPT_PLACES, TokenChance, TokenPlace
from backends.errors import BackendError
from backends.local.grammar import Grammar
from backends.local.sampling import Draw

LIKELIEST = 5
"""Candidates given for each place, where probabilities are asked for."""


@dataclass(slots=True)
class Line:
    """One answer while it is written."""

    draw: Draw
    limit: int
    """How many tokens it may have."""
    grammar: Grammar | None = None
    chances: bool = False
    """Whether the likeliest tokens at each place are wanted."""
    tokens: list[int] = field(default_factory=list)
    """What was written; the token that ended it is not among them."""
    seen: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = field(default_factory=list)
    """For each token: its logarithmic probability, and those and the numbers of the likeliest tokens."""
    ended: bool = False
    """The model came to an end by itself."""

    @property
    def open(self) -> bool:
        """Whether more is to be written."""
        return not self.ended and len(self.tokens) < self.limit


class Lines(LogitsProcessor):
    """Chooses the next token of each line; whatever generates sees only that token as possible.

    Probabilities are those of the model itself: of its logits as they are, before schema, temperature or nucleus. So
    they say what the model held likely, also where the schema left it no choice.
    """

    def __init__(self, lines: list[Line], ends: frozenset[int], pad: int) -> None:
        self._lines = lines
        self._ends = ends
        self._end = min(ends)
        self._pad = pad

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """The logits (rows, vocabulary) with all but the chosen tokens at -inf.

        Raises:
            BackendError: the model gives no numbers.
        """
        chosen = torch.full((len(self._lines), 1), self._pad, dtype=torch.long, device=scores.device)
        for index, line in enumerate(self._lines):
            if line.open:
                chosen[index, 0] = self._next(line, scores[index])
        # One trip to the host for all rows: it waits for the device.
        *tokens, overflow = torch.cat([chosen[:, 0], scores.isnan().any().long()[None]]).tolist()
        if overflow:
            raise BackendError("The model's numbers overflow and it cannot answer; set dtype to bfloat16 or float32.")
        for line, token in zip(self._lines, tokens, strict=True):
            if line.open:
                self._take(line, int(token))
        return torch.full_like(scores, -math.inf).scatter_(1, chosen, 0.0)

    def _next(self, line: Line, logits: torch.Tensor) -> torch.Tensor:
        allowed = logits
        if line.grammar is not None:
            if line.grammar.finished:
                return torch.tensor(self._end, device=logits.device)
            allowed = logits.masked_fill(~line.grammar.allowed(len(logits)).to(logits.device), -math.inf)
        token = line.draw.choose(allowed)
        if line.chances:
            chances = torch.log_softmax(logits, dim=-1)
            top = chances.topk(min(LIKELIEST, len(chances)))
            line.seen.append((chances[token], top.values, top.indices))
        return token

    def _take(self, line: Line, token: int) -> None:
        if token in self._ends:
            line.ended = True
            return
        line.tokens.append(token)
        if line.grammar is not None:
            line.grammar.take(token)
            # Nothing can follow, so a step only to write the end is spared.
            line.ended = line.grammar.finished and line.grammar.failure is None


class LinesDone(StoppingCriteria):
    """Stops each row when its line is done, and all of them when nobody wants them any more."""

    def __init__(self, lines: list[Line], unwanted: threading.Event) -> None:
        self._lines = lines
        self._unwanted = unwanted

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        """Which rows are done: booleans (rows,)."""
        over = self._unwanted.is_set()
        return torch.tensor([over or not line.open for line in self._lines], device=input_ids.device)


def places(line: Line, tokenizer: Any) -> tuple[TokenPlace, ...]:
    """The likeliest tokens at the last places of a line that was asked for them."""

    def chance(token: int, logprob: float) -> TokenChance:
        return TokenChance(token=tokenizer.decode([token]), logprob=logprob)

    found = []
    # What was seen of the token that ended the line is left over.
    for token, (own, values, indices) in list(zip(line.tokens, line.seen, strict=False))[-KEPT_PLACES:]:
        likeliest = zip(indices.tolist(), values.tolist(), strict=True)
        found.append(
            TokenPlace(
                chosen=chance(token, own.item()),
                likeliest=tuple(chance(other, value) for other, value in likeliest),
            )
        )
    return tuple(found)
