import pytest

from backends.completion import Completion, TokenUsage
from backends.errors import BudgetError, ServerError
from backends.layers.usage import UsageLayer, UsageMeter, UsageTotals, add_costs, add_usage
from backends.providers.function import FunctionBackend
from backends.request import Request

ANSWER = Completion(
    text="x",
    model="m",
    backend="b",
    usage=TokenUsage(input_tokens=10, output_tokens=3, cached_tokens=4),
    cost=0.5,
    seconds=2.0,
)


class Heard:
    def __init__(self) -> None:
        self.events: list[object] = []

    def on_slot(self) -> None:
        self.events.append("slot")

    def on_attempt(self) -> None:
        self.events.append("attempt")

    def on_completion(self, completion: Completion) -> None:
        self.events.append(completion)


async def outcome(result: Completion | Exception, attempts: int, meter: UsageMeter, heard: Heard | None = None) -> None:
    async def answer(request: Request) -> Completion:
        assert request.observer is not None
        for _ in range(attempts):
            request.observer.on_slot()
            request.observer.on_attempt()
        if isinstance(result, Exception):
            raise result
        return result

    await UsageLayer(FunctionBackend(answer), meter).complete(Request((), observer=heard))


async def test_answers_are_counted() -> None:
    meter = UsageMeter()
    await outcome(ANSWER, 1, meter)
    await outcome(ANSWER.model_copy(update={"usage": TokenUsage(input_tokens=1, image_tokens=7)}), 3, meter)
    assert meter.totals == UsageTotals(
        calls=2,
        attempts=4,
        usage=TokenUsage(input_tokens=11, output_tokens=3, cached_tokens=4, image_tokens=7),
        cost=1.0,
        seconds=4.0,
    )


async def test_an_answer_without_a_call_is_a_hit_and_costs_nothing_again() -> None:
    meter = UsageMeter()
    await outcome(ANSWER.model_copy(update={"cached": True}), 0, meter)
    assert meter.totals == UsageTotals(cache_hits=1)


async def test_an_unknown_price_is_unknown_and_counted_apart() -> None:
    meter = UsageMeter()
    unknown = ANSWER.model_copy(update={"cost": None})
    await outcome(unknown, 1, meter)
    assert (meter.totals.cost, meter.totals.cost_unknown_calls) == (None, 1)
    await outcome(ANSWER, 1, meter)
    await outcome(unknown, 1, meter)
    assert (meter.totals.cost, meter.totals.cost_unknown_calls) == (0.5, 2)


async def test_failures_are_counted_with_their_attempts_and_a_spent_budget_is_none() -> None:
    meter, heard = UsageMeter(), Heard()
    with pytest.raises(ServerError):
        await outcome(ServerError("down"), 2, meter, heard)
    with pytest.raises(BudgetError):
        await outcome(BudgetError("spent"), 0, meter, heard)
    assert meter.totals == UsageTotals(failures=1, attempts=2)
    assert heard.events == ["slot", "attempt"] * 2


async def test_the_observer_of_the_request_hears_everything() -> None:
    heard = Heard()
    await outcome(ANSWER, 2, UsageMeter(), heard)
    assert heard.events == ["slot", "attempt", "slot", "attempt", ANSWER]


def test_sums_keep_what_nobody_told_unknown() -> None:
    assert add_usage() == TokenUsage()
    assert add_usage(ANSWER.usage) == ANSWER.usage
    assert add_usage(TokenUsage(input_tokens=1), TokenUsage(output_tokens=2)) == TokenUsage(
        input_tokens=1, output_tokens=2
    )
    assert add_costs() == 0
    assert add_costs(1.0, 2.0) == 3.0
    assert add_costs(1.0, None) is None
