"""The limiter: how many calls are in flight, and when the next one may start."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from backends import tokens
from backends.backend import Backend
from backends.completion import Completion, RateState
from backends.errors import AttemptTimeoutError, BackendError, ConfigError, RateLimitError
from backends.layers.layer import Layer
from backends.layers.pace import Pace, Start
from backends.layers.window import Window
from backends.request import Request


class LimiterPolicy(BaseModel):
    """Bounds within which the limiter finds its own way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: int = Field(default=8, ge=1)
    """Calls in flight at first."""
    ceiling: int = Field(default=64, ge=1)
    """Calls in flight at most."""
    rpm: int | None = Field(default=None, ge=1)
    """Calls that may start in any 60 seconds."""
    tpm: int | None = Field(default=None, ge=1)
    """Tokens, in and out, of calls that may start in any 60 seconds."""
    patience_s: float = Field(default=60.0, ge=0)
    """When a server asks to stay away for longer than this, waiting calls fail at once instead of waiting."""


class LimiterStats(NamedTuple):
    """Where a limiter stands."""

    in_flight: int
    waiting: int
    limit: int
    """Calls that may be in flight now."""
    peak: int
    """The most calls that were in flight at once."""


@dataclass(frozen=True, slots=True)
class Slot:
    """The right to have one call in flight."""

    number: int
    """Slots are numbered in the order in which they were granted."""
    level: int
    """Calls in flight when it was granted, itself included."""
    start: Start


class _Waiter(NamedTuple):
    order: int
    number: int
    """Of arrival; no two waiters have the same, so that their order is always settled."""
    granted: asyncio.Future[Slot]
    tokens: int


class Limiter:
    """Grants slots to the calls of older cases first, and else in the order of arrival. For one event loop.

    Strict arrival would make a case that has begun wait behind the first call of every other one, at each link of its
    chain, while its time runs.

    Args:
        policy: the bounds.
        name: whose limiter it is, in messages.
    """

    def __init__(self, policy: LimiterPolicy | None = None, name: str = "the server") -> None:
        self.policy = policy or LimiterPolicy()
        self._name = name
        self._window = Window(self.policy.start, self.policy.ceiling)
        self._pace = Pace(self.policy.rpm, self.policy.tpm)
        self._queue: list[_Waiter] = []
        """A heap."""
        self._arrived = 0
        self._in_flight = 0
        self._granted = 0
        self._peak = 0
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def stats(self) -> LimiterStats:
        """Where it stands now."""
        waiting = sum(not waiter.granted.done() for waiter in self._queue)
        return LimiterStats(self._in_flight, waiting, self._window.size, self._peak)

    async def acquire(self, call_tokens: int = 0, order: int = 0) -> Slot:
        """Wait for a slot; `release` must follow.

        Args:
            call_tokens: what the call takes, about; for the ceiling on tokens.
            order: which case asks; lower ones go first.

        Raises:
            RateLimitError: the server asked to stay away for longer than the policy's patience.
        """
        loop = asyncio.get_running_loop()
        if self._pace.paused_until - loop.time() > self.policy.patience_s:
            raise self._away(loop.time())
        self._arrived += 1
        waiter = _Waiter(order, self._arrived, loop.create_future(), call_tokens)
        heapq.heappush(self._queue, waiter)
        self._grant()
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            self._leave(waiter)
            raise

    def answered(self, slot: Slot, completion: Completion) -> None:
        """The call went well. `release` must still follow."""
        now = asyncio.get_running_loop().time()
        self._window.answered(slot.number, slot.level, self._in_flight >= self._window.size, now)
        usage = completion.usage
        if usage.input_tokens is not None and usage.output_tokens is not None:
            self._pace.counted(slot.start, usage.input_tokens + usage.output_tokens)
        if completion.rate is not None:
            self._pace.heed(completion.rate, now, max(1, slot.start.tokens), self._granted - slot.number)

    def refused(self, slot: Slot, retry_after: float | None, rate: RateState | None = None) -> None:
        """The server has too much to do; nothing starts for `retry_after` seconds. `release` must still follow.

        Rate headers are read as those of an answer, but only when the server does not say outright when to come back:
        their reset is the time until the whole allowance is there again, which is often much later.
        """
        now = asyncio.get_running_loop().time()
        pause = max(0.0, retry_after or 0.0)
        if retry_after is None and rate is not None:
            self._pace.heed(rate, now, max(1, slot.start.tokens), self._granted - slot.number)
        self._window.refused(slot.number, slot.level, self._granted, now, pause)
        self._pace.pause(now + pause)
        if pause > self.policy.patience_s:
            for waiter in self._queue:
                if not waiter.granted.done():
                    waiter.granted.set_exception(self._away(now))

    def release(self, slot: Slot) -> None:
        """Give the slot back."""
        self._in_flight -= 1
        self._grant()

    def _leave(self, waiter: _Waiter) -> None:
        granted = waiter.granted
        if granted.cancelled():
            self._grant()  # whoever stands behind may need less, and start now
        elif granted.exception() is None:
            self.release(granted.result())  # granted and cancelled in the same moment

    def _grant(self) -> None:
        """Let those at the head of the queue start, or see to it that they will be."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._queue:
            waiter = self._queue[0]
            if not waiter.granted.done():
                if self._in_flight >= self._window.size:
                    return
                ready_at = self._pace.ready_at(now, waiter.tokens)
                if ready_at > now:
                    self._grant_at(loop, ready_at)
                    return
                waiter.granted.set_result(self._start(now, waiter.tokens))
            heapq.heappop(self._queue)

    def _grant_at(self, loop: asyncio.AbstractEventLoop, when: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = loop.call_at(when, self._grant)

    def _start(self, now: float, call_tokens: int) -> Slot:
        self._in_flight += 1
        self._granted += 1
        self._peak = max(self._peak, self._in_flight)
        return Slot(self._granted, self._in_flight, self._pace.started(now, call_tokens))

    def _away(self, now: float) -> RateLimitError:
        left = self._pace.paused_until - now
        return RateLimitError(f"{self._name} asks to come back in {left:.0f} s.", retry_after=left)


class Limiters:
    """The limiters of a run: one for each model on an endpoint under an account, whoever calls it."""

    def __init__(self) -> None:
        self._limiters: dict[tuple[str, str], Limiter] = {}

    def of(self, endpoint: str, account: str, policy: LimiterPolicy, name: str = "") -> Limiter:
        """The limiter of a model at an endpoint under an account.

        Args:
            endpoint: server and model, the same however somebody spelled them.
            account: tells accounts apart.
            policy: the bounds.
            name: whose limiter it is, in messages; the endpoint if empty.

        Raises:
            ConfigError: it exists already, with other bounds.
        """
        limiter = self._limiters.get((endpoint, account))
        if limiter is None:
            limiter = self._limiters[endpoint, account] = Limiter(policy, name or endpoint)
        if limiter.policy != policy:
            raise ConfigError(
                f"{name or endpoint} is used with two different limits on calls; one account has one limit."
            )
        return limiter


class LimiterLayer(Layer):
    """Has a call wait for a slot, and tells the limiter how it went.

    Args:
        inner: who is asked.
        limiter: gives the limiter. It is asked for with each call, since what a provider limits by is only known once
            it is prepared.
    """

    def __init__(self, inner: Backend, limiter: Callable[[], Limiter]) -> None:
        super().__init__(inner)
        self._limiter = limiter

    async def complete(self, request: Request) -> Completion:
        """Ask the backend inside as soon as there is a slot.

        Raises:
            RateLimitError: the server refused, or asked to stay away for longer than the limiter's patience.
            BackendError: the call failed otherwise.
            ConfigError: the endpoint is in use already, with other bounds.
        """
        limiter = self._limiter()
        needed = self._call_tokens(request) if limiter.policy.tpm is not None else 0
        slot = await limiter.acquire(needed, request.origin.order)
        try:
            if request.observer is not None:
                request.observer.on_slot()
            completion = await self._inner.complete(request)
            limiter.answered(slot, completion)
        except BackendError as error:
            # A server that queues in silence says that it has too much to do by not answering in time.
            if error.turned_away or isinstance(error, AttemptTimeoutError):
                limiter.refused(slot, error.retry_after, error.rate)
            raise
        finally:
            limiter.release(slot)
        return completion

    def _call_tokens(self, request: Request) -> int:
        return tokens.of_call(request, self.capabilities.image_tokens).total
