"""An engine without a model: it keeps what it was asked, and looks after the rules of the queue in front of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from backends.backend import Capabilities
from backends.completion import Stop, TokenUsage
from backends.local.engine import OutOfMemoryError, Prospect, Wanted, Written, always
from backends.request import Request

ABLE = Capabilities(prefill=True, json_schema=True, logprobs=True)


class StandIn:
    """Answers with its name, the sampling of the batch and the question, so that a mix of anything shows.

    As a model does, it draws the whole batch in one way: that of the first request.

    Args:
        name: its name.
        seconds: how long a batch takes, unless nobody wants any of its answers before.
        room: batches larger than this do not fit.
        bad: what to raise for a batch that holds a question.

    """

    def __init__(
        self, name: str = "toy", *, seconds: float = 0.0, room: int = 99, bad: dict[str, Exception] | None = None
    ) -> None:
        self.name = name
        self.capabilities = ABLE
        self.seconds = seconds
        self.room = room
        self.bad = bad or {}
        self.batches: list[list[Request]] = []
        self.threads: set[str] = set()
        self.given_up = 0
        """Batches that nobody wanted any more before they were done."""
        self.closed = 0
        self.began = threading.Event()
        self._busy = threading.Lock()

    def write(self, requests: Sequence[Request], wanted: Wanted = always) -> list[Written]:
        assert self._busy.acquire(blocking=False), "two threads write at once"
        try:
            assert not self.closed
            self.threads.add(threading.current_thread().name)
            self.batches.append(list(requests))
            self.began.set()
            self._take_time(len(requests), wanted)
            if len(requests) > self.room:
                raise OutOfMemoryError("no room")
            for request in requests:
                if question_of(request) in self.bad:
                    raise self.bad[question_of(request)]
            with_what = drawn_with(requests[0])
            return [self._written(request, with_what) for request in requests]
        finally:
            self._busy.release()

    def _written(self, request: Request, with_what: str) -> Written:
        text = f"{self.name}/{with_what}/{question_of(request)}"
        return Written(text, Stop.COMPLETE, TokenUsage(input_tokens=3, output_tokens=2))

    def _take_time(self, size: int, wanted: Wanted) -> None:
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            if not any(wanted(place) for place in range(size)):
                self.given_up += 1
                return
            time.sleep(0.001)

    def close(self) -> None:
        self.closed += 1

    @property
    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.batches]

    @property
    def questions(self) -> list[list[str]]:
        return [[question_of(request) for request in batch] for batch in self.batches]


def question_of(request: Request) -> str:
    return request.messages[-1].text


def drawn_with(request: Request) -> str:
    sampling = request.sampling
    return f"t={sampling.temperature} p={sampling.top_p} s={sampling.seed}"


def prospect(load: Callable[[], StandIn], name: str = "toy") -> Prospect:
    """What is known of a model before it is loaded."""
    return Prospect(name, "r1", ABLE, load)


def looks(*engines: StandIn, seconds: float = 0.0) -> Callable[[], Prospect]:
    """Looks at a model that is loaded as one engine after the other, each time in so many seconds."""
    left = list(engines)

    def load() -> StandIn:
        time.sleep(seconds)
        return left.pop(0)

    return lambda: prospect(load)
