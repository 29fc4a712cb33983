from __future__ import annotations

import pytest

from backends.backend import Capabilities
from backends.providers.function import FunctionBackend
from paradigms.conversation import Conversation, Purpose, turn

from .conftest import CASE, Toy, means


class TestTokenProbabilities:
    @pytest.mark.parametrize(
        ("offered", "purpose", "asked"),
        [
            (True, "verdict", True),
            (True, "follow_up", True),
            (None, "verdict", True),
            (None, "follow_up", True),
            (None, "subject", True),
            (True, "subject", True),
            (None, "text", False),
            (True, "text", False),
            (False, "verdict", False),
            (False, "follow_up", False),
            (False, "subject", False),
        ],
    )
    async def test_they_are_asked_for_unless_known_not_to_be_offered(
        self, offered: bool | None, purpose: Purpose, asked: bool
    ) -> None:
        toy = Toy(step="Verdict: real")
        backend = FunctionBackend(toy, capabilities=Capabilities(logprobs=offered))
        conversation = Conversation("p", CASE, means(toy), backend, schema=False)
        await conversation.ask("step", (turn("user", "Is it?"),), purpose)
        assert toy.requests[0].logprobs is asked
