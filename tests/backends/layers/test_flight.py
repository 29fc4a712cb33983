import asyncio
import gc
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from backends.completion import Completion
from backends.errors import BudgetError, ConnectError, RateLimitError, ServerError
from backends.layers.flight import SingleFlight

Run = Callable[[Coroutine[Any, Any, Any]], Any]
ANSWER = Completion(text="x", model="m", backend="b")


class Call:
    """A call of one second that counts how often it began, was called off and ended."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.began = self.called_off = self.ended = 0

    async def __call__(self) -> Completion:
        self.began += 1
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            self.called_off += 1
            await asyncio.sleep(0.1)  # a connection takes a moment to close
            raise
        finally:
            self.ended += 1
        if self.errors:
            raise self.errors.pop(0)
        return ANSWER


async def cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


def test_identical_calls_in_flight_are_one_and_one_delivery_is_the_first(run_virtual: Run) -> None:
    async def main() -> None:
        flights, call = SingleFlight(), Call()
        answers = await asyncio.gather(*(flights.run("k", call) for _ in range(5)))
        assert answers == [(ANSWER, True)] + [(ANSWER, False)] * 4
        assert call.began == 1

    run_virtual(main())


def test_other_keys_and_later_calls_are_calls_of_their_own(run_virtual: Run) -> None:
    async def main() -> None:
        flights, call = SingleFlight(), Call()
        await asyncio.gather(flights.run("k", call), flights.run("l", call))
        assert await flights.run("k", call) == (ANSWER, True)
        assert call.began == 3

    run_virtual(main())


def test_a_cancelled_leader_leaves_its_followers_alone(run_virtual: Run) -> None:
    async def main() -> None:
        flights, call = SingleFlight(), Call()
        leader = asyncio.create_task(flights.run("k", call))
        followers = [asyncio.create_task(flights.run("k", call)) for _ in range(2)]
        await asyncio.sleep(0.5)
        await cancel(leader)
        # The call counts once, though its leader is gone.
        assert await asyncio.gather(*followers) == [(ANSWER, True), (ANSWER, False)]
        assert (call.began, call.called_off) == (1, 0)

    run_virtual(main())


def test_a_cancelled_follower_leaves_the_others_alone(run_virtual: Run) -> None:
    async def main() -> None:
        flights, call = SingleFlight(), Call()
        leader = asyncio.create_task(flights.run("k", call))
        follower = asyncio.create_task(flights.run("k", call))
        await asyncio.sleep(0.5)
        await cancel(follower)
        assert await leader == (ANSWER, True)

    run_virtual(main())


def test_when_nobody_waits_the_call_is_called_off_before_the_last_one_leaves(run_virtual: Run) -> None:
    async def main() -> None:
        flights, call = SingleFlight(), Call()
        tasks = [asyncio.create_task(flights.run("k", call)) for _ in range(3)]
        await asyncio.sleep(0.5)
        for task in tasks:
            assert call.called_off == 0
            await cancel(task)
        assert (call.began, call.called_off, call.ended) == (1, 1, 1)

    run_virtual(main())


def test_nobody_joins_a_call_that_is_being_called_off(run_virtual: Run) -> None:
    async def main() -> None:
        flights, call = SingleFlight(), Call()
        first = asyncio.create_task(flights.run("k", call))
        await asyncio.sleep(0.5)
        first.cancel()
        await asyncio.sleep(0.05)
        assert not first.done(), "the call takes a moment to end"
        assert await flights.run("k", call) == (ANSWER, True)
        assert first.cancelled()
        assert call.began == 2

    run_virtual(main())


def test_a_second_cancellation_does_not_wait_and_leaves_no_complaint(run_virtual: Run) -> None:
    async def main() -> None:
        flights, call = SingleFlight(), Call()
        task = asyncio.create_task(flights.run("k", call))
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.sleep(0.05)
        await cancel(task)
        assert call.ended == 0
        await asyncio.sleep(0.1)
        assert call.ended == 1

    run_virtual(main())


def test_a_leader_cancelled_at_the_very_start_leaves_no_complaint(run_virtual: Run) -> None:
    async def main() -> None:
        flights, call = SingleFlight(), Call()
        task = asyncio.create_task(flights.run("k", call))
        task.cancel()
        await asyncio.wait([task])
        task = asyncio.create_task(flights.run("k", call))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert call.began == call.called_off == call.ended
        gc.collect()

    run_virtual(main())


def test_every_waiter_gets_an_error_of_its_own(run_virtual: Run) -> None:
    async def main() -> None:
        original = RateLimitError("slow down", status=429, retry_after=3.0)
        flights, call = SingleFlight(), Call(original)
        errors = await asyncio.gather(*(flights.run("k", call) for _ in range(3)), return_exceptions=True)
        assert len({id(error) for error in (*errors, original)}) == 4
        for error in errors:
            assert isinstance(error, RateLimitError)
            assert (str(error), error.status, error.retry_after) == ("slow down", 429, 3.0)
            assert error.__cause__ is original
            # Raised in many tasks, one object would collect the lines of all of them.
            assert len(traceback.extract_tb(error.__traceback__)) < 5

    run_virtual(main())


def test_who_asks_in_the_moment_of_a_failure_asks_anew(run_virtual: Run) -> None:
    async def main() -> None:
        flights, call = SingleFlight(), Call(ServerError("down"))

        async def late() -> tuple[Completion, bool]:
            await asyncio.sleep(1)
            return await flights.run("k", call)

        first = asyncio.create_task(flights.run("k", call))
        await asyncio.sleep(0)
        second = asyncio.create_task(late())
        failed, answered = await asyncio.gather(first, second, return_exceptions=True)
        assert isinstance(failed, ServerError)
        assert answered == (ANSWER, True)

    run_virtual(main())


def test_a_mistake_in_the_program_is_raised_as_it_is(run_virtual: Run) -> None:
    async def main() -> None:
        bug = KeyError("oops")
        flights = SingleFlight()
        assert await asyncio.gather(*(flights.run("k", Call(bug)) for _ in range(2)), return_exceptions=True) == [
            bug,
            bug,
        ]

    run_virtual(main())


def test_an_error_that_nobody_waits_for_is_no_complaint(run_virtual: Run) -> None:
    class Stubborn(Call):
        async def __call__(self) -> Completion:
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError as error:
                raise ConnectError("line dropped") from error
            return ANSWER

    async def main() -> None:
        flights = SingleFlight()
        task = asyncio.create_task(flights.run("k", Stubborn()))
        await asyncio.sleep(0.5)
        await cancel(task)
        gc.collect()

    run_virtual(main())


def test_a_spent_budget_of_the_leader_is_not_that_of_its_followers(run_virtual: Run) -> None:
    async def main() -> None:
        flights, call = SingleFlight(), Call(BudgetError("the case's budget is spent"))
        spent, *others = await asyncio.gather(*(flights.run("k", call) for _ in range(4)), return_exceptions=True)
        assert isinstance(spent, BudgetError)
        assert others == [(ANSWER, True), (ANSWER, False), (ANSWER, False)]
        assert call.began == 2

    run_virtual(main())


def test_a_spent_budget_of_everybody_ends_for_everybody(run_virtual: Run) -> None:
    async def main() -> None:
        call = Call(*(BudgetError("the run's budget is spent") for _ in range(9)))
        flights = SingleFlight()
        ended = await asyncio.gather(*(flights.run("k", call) for _ in range(4)), return_exceptions=True)
        assert [type(error) for error in ended] == [BudgetError] * 4
        assert call.began == 4

    run_virtual(main())


def test_a_call_cancelled_from_inside_is_an_error_and_no_cancellation(run_virtual: Run) -> None:
    async def main() -> None:
        with pytest.raises(ConnectError, match="ask again"):
            await SingleFlight().run("k", Call(asyncio.CancelledError()))

    run_virtual(main())


def test_a_timeout_around_a_follower_ends_the_follower_alone(run_virtual: Run) -> None:
    async def main() -> None:
        flights, call = SingleFlight(), Call()
        leader = asyncio.create_task(flights.run("k", call))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await flights.run("k", call)
        assert await leader == (ANSWER, True)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await flights.run("k", call)
        assert call.called_off == 1

    run_virtual(main())
