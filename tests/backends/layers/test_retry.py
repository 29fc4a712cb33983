import asyncio
from collections.abc import Sequence

import pytest

from backends.completion import Completion, Stop, TokenUsage
from backends.errors import (
    AttemptTimeoutError,
    AuthError,
    BackendError,
    BudgetError,
    ConnectError,
    ContextLengthError,
    InvalidRequestError,
    MalformedError,
    QuotaError,
    RateLimitError,
    ScriptError,
    ServerError,
    UnsupportedError,
)
from backends.layers.retry import RetryLayer, RetryPolicy
from backends.providers.function import FunctionBackend
from backends.request import Request

REQUEST = Request(())
ANSWER = Completion(text="x", model="m", backend="b", usage=TokenUsage(input_tokens=5, output_tokens=2), cost=1.0)
EMPTY = ANSWER.model_copy(update={"text": "", "stop": Stop.EMPTY})


def learnt() -> UnsupportedError:
    error = UnsupportedError("takes no temperature", transient=True)
    error.learnt = True
    return error


class Plan:
    """Answers in the order given, and remembers how long was slept in between."""

    def __init__(self, *outcomes: Completion | BaseException) -> None:
        self.outcomes = list(outcomes)
        self.slept: list[float] = []
        self.calls = 0

    async def __call__(self, _: Request) -> Completion:
        self.calls += 1
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def layer(self, jitter: float = 1.0, **policy: float) -> RetryLayer:
        return RetryLayer(
            FunctionBackend(self), RetryPolicy.model_validate(policy), sleep=self.sleep, jitter=lambda: jitter
        )


def down(count: int) -> Sequence[ServerError]:
    return [ServerError("down", status=503) for _ in range(count)]


async def test_an_answer_at_once_is_one_attempt() -> None:
    plan = Plan(ANSWER)
    assert await plan.layer().complete(REQUEST) == ANSWER
    assert (plan.calls, plan.slept) == (1, [])


@pytest.mark.parametrize("kind", [ConnectError, AttemptTimeoutError, RateLimitError, ServerError, MalformedError])
async def test_transient_errors_are_tried_again(kind: type[BackendError]) -> None:
    plan = Plan(kind("oh"), kind("oh"), ANSWER)
    assert (await plan.layer().complete(REQUEST)).attempts == 3
    assert plan.calls == 3


@pytest.mark.parametrize(
    "kind",
    [AuthError, QuotaError, InvalidRequestError, UnsupportedError, ContextLengthError, ScriptError, BudgetError],
)
async def test_permanent_errors_and_spent_budgets_are_raised_at_once_and_unchanged(kind: type[Exception]) -> None:
    error = kind("no")
    plan = Plan(error)
    with pytest.raises(kind) as raised:
        await plan.layer().complete(REQUEST)
    assert raised.value is error
    assert plan.calls == 1


async def test_the_provider_has_the_last_word_on_what_is_transient() -> None:
    plan = Plan(InvalidRequestError("a setting less next time", transient=True), ServerError("gone", transient=False))
    with pytest.raises(ServerError, match=r"^gone \(after 2 attempts\)$"):
        await plan.layer().complete(REQUEST)


async def test_a_mistake_in_the_program_is_not_tried_again() -> None:
    plan = Plan(KeyError("oops"))
    with pytest.raises(KeyError, match="oops"):
        await plan.layer().complete(REQUEST)
    assert plan.calls == 1


async def test_the_last_error_says_how_many_attempts_there_were() -> None:
    errors = down(3)
    plan = Plan(*errors)
    with pytest.raises(ServerError, match=r"^down \(after 3 attempts\)$") as raised:
        await plan.layer(attempts=3).complete(REQUEST)
    assert plan.calls == 3
    assert raised.value.status == 503
    assert raised.value.__cause__ is errors[-1]


async def test_a_single_attempt_is_told_as_such() -> None:
    with pytest.raises(ServerError, match=r"\(after 1 attempt\)$"):
        await Plan(*down(1)).layer(attempts=1).complete(REQUEST)


async def test_waits_double_up_to_a_limit_and_are_a_random_part_of_it() -> None:
    plan = Plan(*down(6), ANSWER)
    await plan.layer(attempts=9, base_s=1, max_s=10).complete(REQUEST)
    assert plan.slept == [1, 2, 4, 8, 10, 10]
    plan = Plan(*down(3), ANSWER)
    await plan.layer(jitter=0.25, base_s=1).complete(REQUEST)
    assert plan.slept == [0.25, 0.5, 1]


async def test_retry_after_is_honoured_and_not_by_all_in_the_same_moment() -> None:
    plan = Plan(RateLimitError("slow", retry_after=7.0), ANSWER)
    await plan.layer(jitter=0.5, base_s=1).complete(REQUEST)
    assert plan.slept == [7.5]


async def test_who_asks_to_come_back_too_late_is_not_waited_for() -> None:
    plan = Plan(RateLimitError("slow", retry_after=61.0), ANSWER)
    with pytest.raises(RateLimitError, match=r"after 1 attempt") as raised:
        await plan.layer(max_retry_after_s=60).complete(REQUEST)
    assert raised.value.retry_after == 61.0
    assert plan.slept == []


async def test_waiting_is_limited_in_all() -> None:
    plan = Plan(*(RateLimitError("slow", retry_after=10.0) for _ in range(9)))
    with pytest.raises(RateLimitError, match="after 4 attempts"):
        await plan.layer(jitter=0, attempts=9, max_wait_s=30).complete(REQUEST)
    assert plan.slept == [10, 10, 10]


async def test_an_empty_answer_is_asked_again_and_what_it_cost_is_counted() -> None:
    plan = Plan(EMPTY, ServerError("down"), EMPTY, ANSWER)
    completion = await plan.layer().complete(REQUEST)
    assert (completion.text, completion.attempts, completion.cost) == ("x", 4, 3.0)
    assert completion.usage == TokenUsage(input_tokens=15, output_tokens=6)


async def test_an_answer_that_stays_empty_is_returned_as_such() -> None:
    plan = Plan(EMPTY)
    completion = await plan.layer(attempts=3).complete(REQUEST)
    assert (completion.stop, completion.attempts, completion.cost) == (Stop.EMPTY, 3, 3.0)
    assert plan.calls == 3


async def test_a_refusal_and_a_cut_answer_are_answers() -> None:
    for stop in (Stop.REFUSAL, Stop.FILTER, Stop.LENGTH):
        plan = Plan(ANSWER.model_copy(update={"stop": stop, "text": ""}))
        assert (await plan.layer().complete(REQUEST)).stop is stop
        assert plan.calls == 1


async def test_a_cancelled_wait_ends_at_once() -> None:
    plan = Plan(*down(9))
    layer = RetryLayer(FunctionBackend(plan), RetryPolicy(base_s=1_000, max_s=1_000, max_wait_s=9_999))
    task = asyncio.create_task(layer.complete(REQUEST))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert plan.calls == 1


async def test_calls_side_by_side_do_not_share_their_counts() -> None:
    plans = [Plan(*down(number), ANSWER) for number in range(4)]
    plan = Plan(ANSWER)
    started = 0

    async def answer(request: Request) -> Completion:
        await asyncio.sleep(0)
        return await plans[int(request.prefill or 0)](request)

    layer = RetryLayer(FunctionBackend(answer), RetryPolicy(base_s=0), sleep=plan.sleep)
    asked = [layer.complete(Request((), prefill=str(number))) for number in range(started, 4)]
    assert [completion.attempts for completion in await asyncio.gather(*asked)] == [1, 2, 3, 4]


async def test_anything_else_can_be_tried_as_persistently() -> None:
    plan = Plan(*down(1), ANSWER)

    async def find_out() -> str:
        await plan(REQUEST)
        return "found"

    assert await plan.layer().persist(find_out) == ("found", 2)


async def test_all_attempts_together_have_a_time_of_their_own_from_the_first_slot() -> None:
    async def slow(request: Request) -> str:
        assert request.observer is not None
        await asyncio.sleep(0.05)  # a queue, which costs nothing
        request.observer.on_slot()
        await asyncio.sleep(0.04)
        raise ServerError("busy")

    policy = RetryPolicy(attempts=50, base_s=0.0, request_s=0.12)
    layer = RetryLayer(FunctionBackend(slow), policy)
    with pytest.raises(AttemptTimeoutError, match=r"within 0\.12 s, all attempts together") as caught:
        await layer.complete(Request(()))
    assert not caught.value.transient


async def test_a_timeout_of_the_provider_itself_is_not_taken_for_it() -> None:
    async def broken(request: Request) -> str:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await RetryLayer(FunctionBackend(broken), RetryPolicy(request_s=5)).complete(Request(()))


@pytest.mark.parametrize("attempts", [1, 3])
async def test_what_is_learnt_costs_no_attempt_of_the_policy_and_no_wait(attempts: int) -> None:
    plan = Plan(learnt(), learnt(), learnt(), ANSWER)
    answer = await plan.layer(attempts=attempts).complete(REQUEST)
    assert (answer.attempts, plan.calls, plan.slept) == (4, 4, [])


async def test_an_error_after_something_was_learnt_counts_all_attempts() -> None:
    plan = Plan(learnt(), ServerError("down"))
    with pytest.raises(ServerError, match="after 3 attempts"):
        await plan.layer(attempts=2).complete(REQUEST)
    assert plan.calls == 3
