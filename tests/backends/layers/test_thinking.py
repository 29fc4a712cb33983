from __future__ import annotations

import pytest

from backends.backend import Capabilities
from backends.completion import Completion
from backends.errors import BudgetError
from backends.layers.budget import Budget
from backends.layers.thinking import ThinkingLayer
from backends.providers.function import FunctionBackend
from backends.request import Message, Request, Sampling, Text
from backends.stack import Resources, build_stack

ANSWER = Completion(text="x", model="m", backend="b")
QUESTION = Request((Message("user", (Text("word " * 100),)),), Sampling(max_tokens=100))


class Heard:
    """Answers, and remembers how many tokens each answer might have taken."""

    def __init__(self, **known: int) -> None:
        self.limits: list[int] = []
        self.thinking: list[int] = []
        self.backend = FunctionBackend(self.answer, "toy:thinker", Capabilities(**known))

    async def answer(self, request: Request) -> Completion:
        self.limits.append(request.sampling.max_tokens)
        self.thinking.append(request.sampling.thinking)
        return ANSWER


@pytest.mark.parametrize(
    ("known", "limit"),
    [
        ({}, 100),
        ({"thinking_tokens": 4000}, 4100),
        ({"thinking_tokens": 4000, "context_tokens": 100_000}, 4100),
        ({"thinking_tokens": 4000, "context_tokens": 1000}, 1000 - 199),
        ({"thinking_tokens": 4000, "context_tokens": 250}, 100),
    ],
)
async def test_room_to_think_comes_on_top_as_far_as_the_context_has_it(known: dict[str, int], limit: int) -> None:
    heard = Heard(**known)
    await ThinkingLayer(heard.backend).complete(QUESTION)
    assert heard.limits == [limit]
    assert heard.thinking == [limit - 100]


async def test_the_budget_counts_it() -> None:
    heard = Heard(thinking_tokens=4000)
    with pytest.raises(BudgetError):
        await build_stack([heard.backend], Resources(budget=Budget(tokens=2000))).complete(QUESTION)
    assert heard.limits == []
