import asyncio
import datetime
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from backends import tokens
from backends.completion import Completion, TokenUsage
from backends.errors import (
    AttemptTimeoutError,
    AuthError,
    BackendError,
    BudgetError,
    ConfigError,
    ConnectError,
    MalformedError,
    RateLimitError,
    ServerError,
)
from backends.layers.budget import Amount, Budget, BudgetLayer
from backends.layers.limiter import Limiter, LimiterLayer, LimiterPolicy
from backends.prices import Price, Prices, PriceTable
from backends.providers.function import FunctionBackend
from backends.request import Message, Request, Sampling, Text

Run = Callable[[Coroutine[Any, Any, Any]], Any]
SPEC = "function:test"
DAY = datetime.date(2026, 1, 31)
PRICES = Prices(PriceTable(models={SPEC: Price(input=1_000, output=1_000, date=DAY, source="a test")}))
"""A token costs a tenth of a cent."""
REQUEST = Request((Message("user", (Text("x" * 300),)),), Sampling(max_tokens=68))
PROMPT = 132
NEED = 200


def answered(prompt: int | None = 20, answer: int | None = 10) -> Completion:
    return Completion(text="x", model="m", backend=SPEC, usage=TokenUsage(input_tokens=prompt, output_tokens=answer))


class Server:
    """Takes a second for each answer; a list of outcomes is used up first."""

    def __init__(self, *outcomes: Completion | Exception) -> None:
        self.outcomes = list(outcomes)
        self.calls = 0
        self.now = self.peak = 0

    async def __call__(self, _: Request) -> Completion:
        self.calls += 1
        self.now += 1
        self.peak = max(self.peak, self.now)
        try:
            await asyncio.sleep(1)
        finally:
            self.now -= 1
        outcome = self.outcomes.pop(0) if self.outcomes else answered()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def layer(self, budget: Budget, prices: Prices = PRICES, slots: int = 100) -> BudgetLayer:
        limiter = Limiter(LimiterPolicy(start=slots, ceiling=slots))
        return BudgetLayer(LimiterLayer(FunctionBackend(self), lambda: limiter), budget, prices)


class Heard:
    def __init__(self) -> None:
        self.events: list[str] = []

    def on_slot(self) -> None:
        self.events.append("slot")

    def on_attempt(self) -> None:
        self.events.append("attempt")

    def on_completion(self, completion: Completion) -> None:
        raise AssertionError("this is for the usage layer to tell")


def test_the_estimate_that_these_tests_rely_on() -> None:
    assert tokens.at_most(REQUEST) == PROMPT
    assert PROMPT + REQUEST.sampling.max_tokens == NEED


@pytest.mark.parametrize("failing", [0.0, 0.5])
def test_a_budget_of_fifty_calls_is_exactly_fifty_attempts(run_virtual: Run, failing: float) -> None:
    async def main() -> None:
        chance = random.Random(1)
        server = Server(*(ServerError("down") if chance.random() < failing else answered() for _ in range(50)))
        budget = Budget(calls=50)
        layer = server.layer(budget, slots=7)
        ended = await asyncio.gather(*(layer.complete(REQUEST) for _ in range(200)), return_exceptions=True)
        assert server.calls == budget.spent.calls == 50
        assert sum(isinstance(one, BudgetError) for one in ended) == 150
        assert budget.reserved == Amount()
        assert budget.refused

    run_virtual(main())


def test_attempts_cancelled_in_the_queue_cost_nothing_and_fifty_are_still_made(run_virtual: Run) -> None:
    async def main() -> None:
        server, budget = Server(), Budget(calls=50)
        layer = server.layer(budget, slots=5)
        first = [asyncio.create_task(layer.complete(REQUEST)) for _ in range(40)]
        await asyncio.sleep(0.5)
        for task in first[5:]:
            task.cancel()
        rest = await asyncio.gather(*(layer.complete(REQUEST) for _ in range(60)), return_exceptions=True)
        assert server.calls == budget.spent.calls == 50
        assert sum(isinstance(one, Completion) for one in rest) == 45
        await asyncio.gather(*first, return_exceptions=True)

    run_virtual(main())


def test_an_attempt_cancelled_on_its_way_counts(run_virtual: Run) -> None:
    async def main() -> None:
        server, budget = Server(), Budget(tokens=1_000)
        task = asyncio.create_task(server.layer(budget).complete(REQUEST))
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.wait([task])
        assert budget.spent == Amount(1, NEED, 0.2)
        assert budget.reserved == Amount()

    run_virtual(main())


def test_the_observer_hears_an_attempt_when_it_goes_out(run_virtual: Run) -> None:
    async def main() -> None:
        heard = [Heard(), Heard()]
        layer = Server().layer(Budget(), slots=1)
        tasks = [
            asyncio.create_task(layer.complete(Request(REQUEST.messages, observer=observer))) for observer in heard
        ]
        await asyncio.sleep(0.5)
        assert [observer.events for observer in heard] == [["slot", "attempt"], []]
        await asyncio.gather(*tasks)
        assert heard[1].events == ["slot", "attempt"]

    run_virtual(main())


def test_tokens_are_settled_by_what_the_provider_counts(run_virtual: Run) -> None:
    async def main() -> None:
        server, budget = Server(answered(500, 100), answered(None, None)), Budget(tokens=1_000)
        layer = server.layer(budget)
        await layer.complete(REQUEST)
        assert budget.spent.tokens == 600
        await layer.complete(REQUEST)
        assert budget.spent.tokens == 600 + NEED, "what nobody counts is taken as estimated"
        await layer.complete(REQUEST)
        with pytest.raises(BudgetError, match=r"830 of 1000 tokens \(the next call may need 200\)"):
            await layer.complete(REQUEST)

    run_virtual(main())


def test_reservations_of_others_are_waited_for_and_the_limit_is_never_exceeded(run_virtual: Run) -> None:
    async def main() -> None:
        server, budget = Server(), Budget(tokens=1_000)
        layer = server.layer(budget)
        ended = await asyncio.gather(*(layer.complete(REQUEST) for _ in range(100)), return_exceptions=True)
        # Five reservations of 200 fit at once; each call really takes 30, so 27 calls leave less than one reservation.
        assert server.peak == 5
        assert server.calls == 27
        assert budget.spent == Amount(27, 810, pytest.approx(0.81))
        assert sum(isinstance(one, BudgetError) for one in ended) == 73

    run_virtual(main())


def test_one_who_waits_for_the_budget_can_be_cancelled(run_virtual: Run) -> None:
    async def main() -> None:
        server, budget = Server(), Budget(tokens=200)
        layer = server.layer(budget)
        tasks = [asyncio.create_task(layer.complete(REQUEST)) for _ in range(3)]
        await asyncio.sleep(0.5)
        tasks[1].cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in ended] == [Completion, asyncio.CancelledError, BudgetError]
        assert not budget._waiting

    run_virtual(main())


@pytest.mark.parametrize(
    ("error", "spent"),
    [
        (RateLimitError("slow"), 0),
        (ServerError("busy", status=503), 0),
        (ServerError("broke off", status=500), NEED),
        (AuthError("no key"), 0),
        (AttemptTimeoutError("20 s"), NEED),
        (ConnectError("dropped"), NEED),
        (MalformedError("half an answer"), NEED),
    ],
)
def test_failed_attempts_count_and_take_tokens_only_if_the_server_may_have_worked(
    run_virtual: Run, error: BackendError, spent: int
) -> None:
    async def main() -> None:
        budget = Budget(tokens=1_000)
        with pytest.raises(type(error)):
            await Server(error).layer(budget).complete(REQUEST)
        assert (budget.spent.calls, budget.spent.tokens) == (1, spent)
        assert budget.reserved == Amount()

    run_virtual(main())


def test_dollars_are_limited_and_put_on_the_answer(run_virtual: Run) -> None:
    async def main() -> None:
        budget = Budget(cost=0.25)
        layer = Server().layer(budget)
        completion = await layer.complete(REQUEST)
        assert completion.cost == pytest.approx(0.03)
        await layer.complete(REQUEST)
        with pytest.raises(BudgetError, match=r"\$0.0600 of \$0.2500 \(the next call may need \$0.2000\)"):
            await layer.complete(REQUEST)

    run_virtual(main())


async def test_sums_of_dollars_are_compared_with_a_grain_of_salt() -> None:
    budget = Budget(cost=0.3)
    for _ in range(3):
        await budget.reserve(Amount(cost=0.1))
        budget.settle(Amount(cost=0.1), Amount(cost=0.1))
    with pytest.raises(BudgetError):
        await budget.reserve(Amount(cost=0.001))


def test_an_unknown_price_is_refused_where_dollars_are_limited_and_unknown_elsewhere(run_virtual: Run) -> None:
    async def main() -> None:
        server = Server()
        with pytest.raises(BudgetError, match="price of function:test is unknown"):
            await server.layer(Budget(cost=5), Prices()).complete(REQUEST)
        run = Budget(cost=5)
        with pytest.raises(BudgetError, match="price of function:test is unknown"):
            await server.layer(run, Prices()).complete(Request((), budget=run.child(calls=1)))
        assert server.calls == 0
        assert (await server.layer(Budget(calls=1), Prices()).complete(REQUEST)).cost is None

    run_virtual(main())


def test_a_case_has_a_budget_inside_the_budget_of_the_run(run_virtual: Run) -> None:
    async def main() -> None:
        server, budget = Server(), Budget(calls=5)
        layer = server.layer(budget)
        cases = [budget.child(calls=3) for _ in range(3)]
        asked = [Request((), budget=case) for case in cases for _ in range(4)]
        ended = await asyncio.gather(*map(layer.complete, asked), return_exceptions=True)
        errors = [str(one) for one in ended if isinstance(one, BudgetError)]
        assert server.calls == budget.spent.calls == 5
        assert [case.spent.calls for case in cases] == [3, 2, 0]
        assert sum("budget of the case allows no further call; spent are 3 of 3 calls" in one for one in errors) == 1
        assert sum("budget of the run allows no further call; spent are 5 of 5 calls" in one for one in errors) == 6
        assert [case.refused for case in cases] == [True, False, False]
        assert budget.reserved == Amount()

    run_virtual(main())


async def test_an_answer_counts_even_where_no_limiter_says_that_it_was_asked_for() -> None:
    async def answer(_: Request) -> Completion:
        return answered()

    budget = Budget(calls=1)
    await BudgetLayer(FunctionBackend(answer), budget, PRICES).complete(REQUEST)
    assert budget.spent.calls == 1


async def test_a_budget_of_another_run_is_refused() -> None:
    with pytest.raises(ConfigError, match="child"):
        await Server().layer(Budget()).complete(Request((), budget=Budget(calls=1)))


def test_nothing_is_limited_and_everything_counted_without_limits(run_virtual: Run) -> None:
    async def main() -> None:
        budget = Budget()
        layer = Server().layer(budget)
        await asyncio.gather(*(layer.complete(REQUEST) for _ in range(10)))
        assert budget.spent == Amount(10, 300, pytest.approx(0.3))
        assert not budget.refused

    run_virtual(main())
