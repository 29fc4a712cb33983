"""Room to think: models that think before they answer spend tokens on it that servers count as answer tokens."""

from __future__ import annotations

import dataclasses

from backends import tokens
from backends.completion import Completion
from backends.layers.layer import Layer
from backends.request import Request


class ThinkingLayer(Layer):
    """Adds the model's `thinking_tokens` to the limit on answer tokens, as far as its context has room for them.

    It stands within the cache, whose keys are about what was asked, and around the budget, which must know how much an
    answer may take.
    """

    async def complete(self, request: Request) -> Completion:
        """Ask the backend inside, with room to think.

        Raises:
            BackendError, BudgetError: the backend inside gave no answer.
        """
        room = self._room(request)
        if room == 0:
            return await self._inner.complete(request)
        sampling = dataclasses.replace(request.sampling, max_tokens=request.sampling.max_tokens + room, thinking=room)
        return await self._inner.complete(dataclasses.replace(request, sampling=sampling))

    def _room(self, request: Request) -> int:
        known = self.capabilities
        if known.thinking_tokens == 0 or known.context_tokens is None:
            return known.thinking_tokens
        taken = tokens.of_call(request, known.image_tokens).total
        return max(0, min(known.thinking_tokens, known.context_tokens - taken))
