"""How many calls may be in flight at once, learnt from what the server refuses. Pure arithmetic, no waiting."""

from __future__ import annotations

from collections import deque

_SHRINK = 0.8
_STEP = 0.36
"""Slots gained for each answer, divided by the limit. From 0.8 L back to L takes about L²/2 answers at 8 in flight:
seldom enough that the next refusal is one of some forty calls."""
_SPEED_UP = 64
"""After so many answers in a row without a refusal the step doubles, and again, until it is one slot an answer."""
_REMEMBERED = 64
"""How many of the last answers say how much in flight at once goes well."""
_HOLD = 40
"""Answers to take at a known wall before trying one slot more: one refusal in forty is cheap."""
_HOLD_FOR_PAUSE = 20
"""A refusal that stopped everything for a second is worth twenty seconds without another one."""


class Window:
    """The limit on calls in flight.

    It doubles with every round trip until the first refusal, then grows slowly; it grows only while all slots are in
    use. A refusal shrinks it by a fifth, once for all calls that were under way in that moment. If the refused call had
    more beside it than any that lately went well, the server has a wall there: the limit goes back to what went well
    and stays for a while. If not, the refusal is about something else (a rate, a neighbour, bad luck): growth goes on.

    Args:
        start: the first limit, at least 1.
        ceiling: the limit never grows beyond it.
    """

    def __init__(self, start: int, ceiling: int) -> None:
        self.limit = float(min(start, ceiling))
        self._ceiling = ceiling
        self._starting = True
        self._streak = 0
        self._wall = 0
        self._held = 0
        self._hold_until = 0.0
        self._last_shrink = -1
        self._good: deque[int] = deque(maxlen=_REMEMBERED)

    @property
    def size(self) -> int:
        """Calls that may be in flight."""
        return int(self.limit)

    def answered(self, call: int, level: int, busy: bool, now: float) -> None:
        """Call number `call` went well, with `level` in flight, itself included; `busy`: all slots are in use."""
        if call > self._last_shrink:  # else a refused call counted in its level, though the server had turned it away
            self._good.append(level)
        if not busy:
            return
        self._streak += 1
        if self._starting:
            self._grow(1.0)
        elif not self._wall:
            self._grow(min(1.0, _STEP * 2.0 ** (self._streak // _SPEED_UP) / self.limit))
        elif self.limit < self._wall:
            self.limit = min(self.limit + 1.0, float(self._wall))
        else:
            self._hold(now)

    def refused(self, call: int, level: int, newest: int, now: float, pause: float) -> None:
        """Call number `call` was refused; `newest` is the number of the last call, `pause` the seconds asked for."""
        if call <= self._last_shrink:
            return
        self._last_shrink = newest
        # Those that were under way before it were taken in.
        self._wall = level - 1 if level > max(self._good, default=0) else 0
        self._hold_until = now + _HOLD_FOR_PAUSE * pause
        self._held = self._streak = 0
        self._starting = False
        self.limit = max(1.0, self.limit * _SHRINK)

    def _hold(self, now: float) -> None:
        self._held += 1
        if self._held >= _HOLD and now >= self._hold_until:
            self._wall = self._held = 0
            self._grow(int(self.limit) + 1.0 - self.limit)

    def _grow(self, slots: float) -> None:
        self.limit = min(self.limit + slots, float(self._ceiling))
