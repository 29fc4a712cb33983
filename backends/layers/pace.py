"""When the next call may start: calls and tokens a minute, what rate headers say, and Retry-After. No waiting here."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from backends.completion import RateState

_MINUTE_S = 60.0
_FEW = 20
"""So many calls left are few, when a server does not say how many there were."""


@dataclass(slots=True)
class Start:
    """A call that started: when, and what it takes in tokens."""

    at: float
    tokens: int


class Pace:
    """Says from when on a call may start. All times are in seconds on the clock of the event loop.

    Args:
        rpm: calls that may start in any 60 seconds, or None.
        tpm: tokens of calls that may start in any 60 seconds, or None. A single call beyond it waits until it is alone.
    """

    def __init__(self, rpm: int | None, tpm: int | None) -> None:
        self._rpm = rpm
        self._tpm = tpm
        self._recent: deque[Start] = deque()
        self._recent_tokens = 0
        self._last = -math.inf
        self._gap = 0.0
        self._gap_until = -math.inf
        self.paused_until = -math.inf

    def ready_at(self, now: float, tokens: int) -> float:
        """From when on a call of so many tokens may start; not later than `now` when it may start at once."""
        headers = min(self._last + self._gap, self._gap_until)
        return max(self.paused_until, headers, self._ceilings_allow(now, tokens))

    def started(self, now: float, tokens: int) -> Start:
        """A call starts; the result is for `counted`."""
        self._last = now
        start = Start(now, tokens)
        if self._rpm is not None or self._tpm is not None:
            self._recent.append(start)
            self._recent_tokens += tokens
        return start

    def counted(self, start: Start, tokens: int) -> None:
        """The provider counted the tokens of a call that was estimated."""
        if self._recent and start.at >= self._recent[0].at:
            self._recent_tokens += tokens - start.tokens
        start.tokens = tokens

    def pause(self, until: float) -> None:
        """Nothing starts before `until`: the server asked for it."""
        self.paused_until = max(self.paused_until, until)

    def heed(self, rate: RateState, now: float, tokens: int, since: int) -> None:
        """Spread what the server still allows over the time until it allows more.

        Above half of an allowance nothing is slowed down. The spreading meets both kinds of allowance: one that comes
        back all at once is not overrun, one that flows back steadily settles where it flows.

        Args:
            rate: what the headers of an answer say.
            now: the time.
            tokens: what a call takes, about.
            since: how many calls started after the one that was answered; the headers may not know of them.
        """
        calls = _gap(rate.limit_requests, rate.remaining_requests, rate.reset_requests, 1, since)
        told = _gap(rate.limit_tokens, rate.remaining_tokens, rate.reset_tokens, tokens, since)
        self._gap, reset = max(calls, told)
        self._gap_until = now + reset

    def _ceilings_allow(self, now: float, tokens: int) -> float:
        self._forget(now - _MINUTE_S)
        free_at = now
        calls, total = len(self._recent) + 1, self._recent_tokens + tokens
        for start in self._recent:
            fits = (self._rpm is None or calls <= self._rpm) and (self._tpm is None or total <= self._tpm)
            if fits:
                break
            calls, total, free_at = calls - 1, total - start.tokens, start.at + _MINUTE_S
        return free_at

    def _forget(self, before: float) -> None:
        while self._recent and self._recent[0].at <= before:
            self._recent_tokens -= self._recent.popleft().tokens


def _gap(limit: int | None, remaining: int | None, reset: float | None, unit: int, since: int) -> tuple[float, float]:
    """Seconds between starts that one allowance asks for, and for how many seconds it asks."""
    if remaining is None or reset is None or remaining > (limit / 2 if limit is not None else _FEW * unit):
        return 0.0, 0.0
    # Longer than a minute is the server's to say, by refusing: a daily allowance is not spread over the day.
    reset = min(max(0.0, reset), _MINUTE_S)
    left = remaining // unit - since
    return (reset / (left + 1) if left > 0 else math.inf), reset
