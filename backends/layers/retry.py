"""Retries: what may pass by itself is asked again after a while; everything else is raised at once."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from tenacity import AsyncRetrying, RetryCallState

from backends.backend import Backend
from backends.completion import Completion, Stop
from backends.errors import AttemptTimeoutError, BackendError, UnsupportedError
from backends.layers.layer import Layer
from backends.layers.relay import Relay
from backends.layers.usage import add_costs, add_usage
from backends.request import Observer, Request

T = TypeVar("T")


class RetryPolicy(BaseModel):
    """How often and how long to try. Waiting is full-jitter exponential: a random part of `base_s` · 2ⁿ."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempts: int = Field(default=5, ge=1, le=100)
    """Attempts in all, the first one included."""
    base_s: float = Field(default=0.5, ge=0)
    """The longest wait after the first attempt, in seconds; doubles with each attempt."""
    max_s: float = Field(default=20.0, ge=0)
    """The longest wait between two attempts that no server asked for."""
    max_wait_s: float = Field(default=180.0, ge=0)
    """The longest time spent waiting for one answer, all waits together. Attempts and queueing are not counted."""
    max_retry_after_s: float = Field(default=60.0, ge=0)
    """A server that asks to come back later than this is not waited for."""
    request_s: float | None = Field(default=None, gt=0)
    """The longest that one answer may take, all attempts and waits together, from the first slot on; None: no limit."""


class RetryLayer(Layer):
    """Asks again after transient errors, as the provider classified them, and after empty answers.

    A setting that the server turns out not to take costs an attempt of the budget, but none of the policy: the question
    goes out at once without it. A wait holds no slot and no budget. An answer that stays empty is returned as it is
    (`Stop.EMPTY`), so that what it cost is not lost; it is never stored, and a fallback takes over from it. `attempts`
    of the answer says how many were made, and its tokens and cost include those of the empty answers before it.

    Args:
        inner: who is asked.
        policy: how often and how long.
        sleep: waits so many seconds.
        jitter: a number in [0, 1).
    """

    def __init__(
        self,
        inner: Backend,
        policy: RetryPolicy,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(inner)
        self._policy = policy
        self._sleep = sleep
        self._jitter = jitter

    async def complete(self, request: Request) -> Completion:
        """Ask until there is an answer.

        Raises:
            BackendError: a permanent error, or the last one after all attempts; the message says how many there were.
            BudgetError: the budget allows no further attempt.
        """
        answers: list[Completion] = []
        clock = _Clock(request.observer, self._policy.request_s)
        timed = dataclasses.replace(request, observer=clock)

        async def attempt() -> Completion:
            answers.append(await self._inner.complete(timed))
            return answers[-1]

        try:
            async with clock.timeout:
                last, attempts = await self.persist(attempt)
        except TimeoutError as error:
            if not clock.timeout.expired():
                raise
            message = f"{self.spec} gave no answer within {self._policy.request_s:g} s, all attempts together."
            raise AttemptTimeoutError(message, transient=False) from error
        usage, cost = add_usage(*(a.usage for a in answers)), add_costs(*(a.cost for a in answers))
        return last.model_copy(update={"attempts": attempts, "usage": usage, "cost": cost})

    async def persist(self, call: Callable[[], Awaitable[T]]) -> tuple[T, int]:
        """Await `call` until it succeeds; its result, and the number of attempts. Raises as `complete` does."""
        learnt = 0

        async def once() -> T:
            """One attempt, and at once the next one where the server only made known what to leave out."""
            nonlocal learnt
            while True:
                try:
                    return await call()
                except UnsupportedError as error:
                    if not error.learnt:
                        raise
                    learnt += 1

        # One object for each call: tenacity keeps the state of a run in it.
        retrying = AsyncRetrying(
            sleep=self._sleep,
            stop=self._stop,
            wait=self._wait,
            retry=_again,
            retry_error_callback=_outcome,
        )
        try:
            result: T = await retrying(once)
        except BackendError as error:
            attempts = retrying.statistics["attempt_number"] + learnt
            if attempts == 1 and not error.transient:
                raise
            tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
            raise error.again(f"{error} (after {tries})") from error
        return result, retrying.statistics["attempt_number"] + learnt

    def _wait(self, state: RetryCallState) -> float:
        """Seconds until the next attempt."""
        policy = self._policy
        asked = _retry_after(state)
        if asked is not None:
            return asked + self._jitter() * policy.base_s  # all who were sent away must not return in the same moment
        return self._jitter() * min(policy.max_s, policy.base_s * 2.0 ** (state.attempt_number - 1))

    def _stop(self, state: RetryCallState) -> bool:
        policy = self._policy
        return (
            state.attempt_number >= policy.attempts
            or (_retry_after(state) or 0.0) > policy.max_retry_after_s
            or state.idle_for + state.upcoming_sleep > policy.max_wait_s
        )


class _Clock(Relay):
    """Runs from the first slot that the request is granted; queueing before it costs no time."""

    def __init__(self, observer: Observer | None, seconds: float | None) -> None:
        super().__init__(observer)
        self._seconds = seconds
        self.timeout = asyncio.timeout(None)

    def on_slot(self) -> None:
        if self._seconds is not None and self.timeout.when() is None:
            self.timeout.reschedule(asyncio.get_running_loop().time() + self._seconds)
        super().on_slot()


def _again(state: RetryCallState) -> bool:
    outcome = state.outcome
    if outcome is None or not outcome.failed:
        result = outcome.result() if outcome is not None else None
        return isinstance(result, Completion) and result.stop is Stop.EMPTY
    error = outcome.exception()
    return isinstance(error, BackendError) and error.transient


def _retry_after(state: RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome is not None else None
    return error.retry_after if isinstance(error, BackendError) else None


def _outcome(state: RetryCallState) -> Any:
    """The last result, or the last error raised."""
    return state.outcome.result() if state.outcome is not None else None
