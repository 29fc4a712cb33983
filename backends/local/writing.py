"""Writing the answers of a batch: every row by its own schema, length, seed and wish for probabilities."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
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


@dataclass(frozen=True, slots=True)
class Seen:
    """What the model held likely at one place: the token that was chosen, then the likeliest ones, best first.

    Both tensors are (1 + `LIKELIEST`) on the model's device, and nothing else of the vocabulary is kept with them.
    """

    tokens: torch.Tensor
    logprobs: torch.Tensor


@dataclass(slots=True)
class Line:
    """One answer while it is written."""

    draw: Draw
    limit: int
    """How many tokens it may have."""
    grammar: Grammar | None = None
    chances: bool = False
    """Whether the likeliest tokens at each place are wanted."""
    wanted: Callable[[], bool] = lambda: True
    """Whether somebody still waits for the answer."""
    thought: int | None = None
    """The token that ends its thinking, where the prompt begins some; None where it answers at once."""
    thinking: int = 0
    """How many tokens it may think; then `thought` is written for it, and the answer begins."""
    tokens: list[int] = field(default_factory=list)
    """What was written, thinking included; the token that ended it is not among them."""
    begins: int = 0
    """With which of the tokens the answer begins; behind its thinking it is not 0."""
    seen: deque[Seen] = field(default_factory=lambda: deque(maxlen=KEPT_PLACES))
    """For each of the last tokens, where `chances` are wanted."""
    ended: bool = False
    """The model came to an end by itself."""

    @property
    def open(self) -> bool:
        """Whether more is to be written."""
        return not self.ended and len(self.tokens) < self.limit and self.wanted()

    @property
    def thinks(self) -> bool:
        """Whether it has not begun to answer."""
        return self.thought is not None and self.begins == 0


class Lines(LogitsProcessor):
    """Chooses the next token of each line; whatever generates sees only that token as possible.

    While a line thinks its schema does not count, and it cannot end.

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
        seen: dict[int, Seen] = {}
        for index, line in enumerate(self._lines):
            if line.open:
                token = self._next(line, scores[index])
                chosen[index, 0] = token
                if line.chances:
                    seen[index] = _seen(scores[index], token)
        # One trip to the host for all rows: it waits for the device.
        *tokens, overflow = torch.cat([chosen[:, 0], scores.isnan().any().long()[None]]).tolist()
        if overflow:
            raise BackendError("The model's numbers overflow and it cannot answer; set dtype to bfloat16 or float32.")
        for index, (line, token) in enumerate(zip(self._lines, tokens, strict=True)):
            if line.open:
                self._take(line, int(token), seen.get(index))
        return torch.full_like(scores, -math.inf).scatter_(1, chosen, 0.0)

    def _next(self, line: Line, logits: torch.Tensor) -> torch.Tensor:
        if line.thinks:
            return self._thought(line, logits)
        allowed = logits
        if line.grammar is not None:
            if line.grammar.finished:
                return torch.tensor(self._end, device=logits.device)
            allowed = logits.masked_fill(~line.grammar.allowed(len(logits)).to(logits.device), -math.inf)
        return line.draw.choose(allowed)

    def _thought(self, line: Line, logits: torch.Tensor) -> torch.Tensor:
        """The next token of a line that thinks."""
        if len(line.tokens) >= line.thinking:
            return torch.tensor(line.thought, device=logits.device)
        ends = torch.tensor(sorted(self._ends), device=logits.device)
        return line.draw.choose(logits.index_fill(0, ends, -math.inf))

    def _take(self, line: Line, token: int, seen: Seen | None) -> None:
        if token in self._ends:
            line.ended = True
            return
        line.tokens.append(token)
        if seen is not None:
            line.seen.append(seen)
        if line.thinks:
            line.begins = len(line.tokens) if token == line.thought else 0
            return
        if line.grammar is not None:
            line.grammar.take(token)
            # Nothing can follow, so a step only to write the end is spared.
            line.ended = line.grammar.finished and line.grammar.failure is None


class LinesDone(StoppingCriteria):
    """Stops each row when its line is done, or when nobody wants it any more."""

    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        """Which rows are done: booleans (rows,)."""
        return torch.tensor([not line.open for line in self._lines], device=input_ids.device)


def places(line: Line, tokenizer: Any) -> tuple[TokenPlace, ...]:
    """The likeliest tokens at the last places of a line that was asked for them."""
    return tuple(_place(seen, tokenizer) for seen in line.seen)


def _place(seen: Seen, tokenizer: Any) -> TokenPlace:
    pairs = zip(seen.tokens.tolist(), seen.logprobs.tolist(), strict=True)
    chosen, *likeliest = (TokenChance(token=tokenizer.decode([token]), logprob=logprob) for token, logprob in pairs)
    return TokenPlace(chosen=chosen, likeliest=tuple(likeliest))


def _seen(logits: torch.Tensor, token: torch.Tensor) -> Seen:
    """What is kept of a place. Gathered and not indexed: a view would hold the whole vocabulary, and wait for it."""
    chances = torch.log_softmax(logits, dim=-1)
    tokens = torch.cat([token[None], chances.topk(min(LIKELIEST, len(chances))).indices])
    return Seen(tokens, chances.gather(0, tokens))
