"""How one answer is drawn, token by token, whatever is computed beside it."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import Any

import torch

from backends.request import Sampling


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a checkpoint itself says about sampling (`generation_config.json`); temperature 0 takes the likeliest."""

    temperature: float = 0.0
    top_p: float = 1.0


def defaults_of(generation: Any) -> Defaults:
    """The temperature and nucleus that a generation configuration asks for, if it asks for sampling at all.

    Nothing else of it is followed: penalties, `top_k` and the like would make the answer depend on settings that no
    request shows.
    """
    if not getattr(generation, "do_sample", False):
        return Defaults()
    temperature, top_p = getattr(generation, "temperature", None), getattr(generation, "top_p", None)
    return Defaults(1.0 if temperature is None else float(temperature), 1.0 if top_p is None else float(top_p))


class Draw:
    """Chooses the tokens of one answer.

    A seed gives the same numbers at each place of the answer, so an answer with a seed is the same alone and in a
    batch; `sample` tells several answers with one seed apart. Without a seed the numbers come from the system.
    """

    def __init__(self, sampling: Sampling, defaults: Defaults) -> None:
        temperature = defaults.temperature if sampling.temperature is None else sampling.temperature
        self._temperature = temperature
        self._top_p = defaults.top_p if sampling.top_p is None else sampling.top_p
        self._random = random.Random(_mixed(sampling))

    def choose(self, logits: torch.Tensor) -> torch.Tensor:
        """The next token, as a tensor without dimensions.

        Args:
            logits: one number for each token (vocabulary), float32; those that may not be chosen are -inf.

        """
        if self._temperature <= 0:
            return logits.argmax()
        # float16 and float32 would lose the small probabilities in the running sum; MPS has nothing wider.
        wide = torch.float32 if logits.device.type == "mps" else torch.float64
        chances = torch.softmax(logits.to(wide) / self._temperature, dim=-1)
        if self._top_p < 1:
            chances = _nucleus(chances, self._top_p)
        # In the order of the vocabulary and not of the chances: rounding, which differs between batches, can then
        # move a boundary by a hair, but never swap two tokens that are almost equally likely.
        reached = chances.cumsum(-1)
        place = torch.searchsorted(reached, reached[-1] * self._random.random(), right=True)
        return torch.where(place < len(chances), place, chances.argmax())


def _mixed(sampling: Sampling) -> int | None:
    if sampling.seed is None:
        return None
    return int.from_bytes(hashlib.sha256(f"{sampling.seed}:{sampling.sample}".encode()).digest()[:8], "big")


def _nucleus(chances: torch.Tensor, top_p: float) -> torch.Tensor:
    """The chances, with all but the likeliest tokens that together reach `top_p` set to 0."""
    ordered, places = chances.sort(descending=True)
    outside = ordered.cumsum(-1) - ordered >= top_p
    # Scattered back and not picked out: how many they are, only the device knows, and it need not be waited for.
    return torch.zeros_like(chances).scatter(0, places, ordered.masked_fill(outside, 0.0))
