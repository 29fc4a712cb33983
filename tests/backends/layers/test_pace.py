import math

import pytest

from backends.completion import RateState
from backends.layers.pace import Pace


def starts(pace: Pace, count: int, tokens: int = 0, now: float = 0.0) -> list[float]:
    """When calls start that all are ready at `now`."""
    times = []
    for _ in range(count):
        now = max(now, pace.ready_at(now, tokens))
        pace.started(now, tokens)
        times.append(now)
    return times


def most_in_a_minute(times: list[float]) -> int:
    return max(sum(start <= time < start + 60 for time in times) for start in times)


def test_without_ceilings_a_call_may_start_at_once() -> None:
    assert starts(Pace(None, None), 1_000) == [0.0] * 1_000


def test_no_minute_has_more_calls_than_allowed() -> None:
    times = starts(Pace(rpm=10, tpm=None), 95)
    assert most_in_a_minute(times) == 10
    assert times[-1] == 540.0


def test_no_minute_has_more_tokens_than_allowed() -> None:
    times = starts(Pace(rpm=None, tpm=1_000), 20, tokens=300)
    assert most_in_a_minute(times) == 3
    assert times[-1] == 360.0


def test_both_ceilings_hold() -> None:
    assert most_in_a_minute(starts(Pace(rpm=2, tpm=1_000), 20, tokens=300)) == 2
    assert most_in_a_minute(starts(Pace(rpm=9, tpm=1_000), 20, tokens=300)) == 3


def test_the_window_slides() -> None:
    pace = Pace(rpm=2, tpm=None)
    pace.started(0.0, 0)
    pace.started(50.0, 0)
    assert pace.ready_at(55.0, 0) == 60.0
    pace.started(60.0, 0)
    assert pace.ready_at(60.0, 0) == 110.0


def test_a_call_beyond_the_ceiling_goes_alone_rather_than_never() -> None:
    pace = Pace(rpm=None, tpm=100)
    assert starts(pace, 2, tokens=500) == [0.0, 60.0]


def test_what_the_provider_counted_replaces_the_estimate() -> None:
    pace = Pace(rpm=None, tpm=1_000)
    first = pace.started(0.0, 900)
    assert pace.ready_at(1.0, 500) == 60.0
    pace.counted(first, 100)
    assert pace.ready_at(1.0, 500) == 1.0
    old = pace.started(1.0, 500)
    pace.ready_at(100.0, 0)
    pace.counted(old, 5_000)
    pace.started(100.0, 100)
    assert pace.ready_at(100.0, 900) == 100.0, "a call of an earlier minute does not count any more"


def test_nothing_starts_in_a_pause_and_a_shorter_one_does_not_end_it() -> None:
    pace = Pace(None, None)
    pace.pause(10.0)
    pace.pause(5.0)
    assert pace.ready_at(1.0, 0) == 10.0
    assert pace.ready_at(11.0, 0) <= 11.0


def requests_left(limit: int | None, remaining: int | None, reset: float | None) -> RateState:
    return RateState(limit_requests=limit, remaining_requests=remaining, reset_requests=reset)


@pytest.mark.parametrize(
    "rate",
    [
        RateState(),
        requests_left(100, 51, 60.0),
        requests_left(100, None, 60.0),
        requests_left(100, 3, None),
        requests_left(100, 3, -5.0),
        requests_left(100, 3, math.nan),
        requests_left(None, 21, 60.0),
    ],
)
def test_plenty_left_or_nothing_said_slows_nothing_down(rate: RateState) -> None:
    pace = Pace(None, None)
    pace.started(0.0, 10)
    pace.heed(rate, 0.2, 10, 0)
    assert pace.ready_at(0.2, 10) <= 0.2


def test_what_is_left_is_spread_over_the_time_until_there_is_more() -> None:
    pace = Pace(None, None)
    pace.started(0.0, 0)
    pace.heed(requests_left(100, 9, 30.0), 0.0, 1, 0)
    assert starts(pace, 12)[:9] == [pytest.approx(3.0 * i) for i in range(1, 10)]
    assert starts(pace, 1, now=31.0) == [31.0], "then there is more"


def test_nothing_left_waits_for_the_reset() -> None:
    pace = Pace(None, None)
    pace.started(0.0, 0)
    pace.heed(requests_left(100, 0, 30.0), 5.0, 1, 0)
    assert pace.ready_at(5.0, 0) == 35.0


def test_calls_that_the_headers_do_not_know_of_are_taken_off() -> None:
    pace = Pace(None, None)
    pace.started(0.0, 0)
    pace.heed(requests_left(100, 5, 30.0), 5.0, 1, since=5)
    assert pace.ready_at(5.0, 0) == 35.0


def test_tokens_left_are_counted_in_calls() -> None:
    pace = Pace(None, None)
    pace.started(0.0, 0)
    pace.heed(RateState(limit_tokens=10_000, remaining_tokens=2_000, reset_tokens=30.0), 0.0, 1_000, 0)
    assert pace.ready_at(0.0, 0) == pytest.approx(10.0)


def test_the_scarcer_allowance_counts() -> None:
    pace = Pace(None, None)
    pace.started(0.0, 0)
    rate = RateState(
        limit_requests=100,
        remaining_requests=29,
        reset_requests=30.0,
        limit_tokens=10_000,
        remaining_tokens=2_000,
        reset_tokens=30.0,
    )
    pace.heed(rate, 0.0, 1_000, 0)
    assert pace.ready_at(0.0, 0) == pytest.approx(10.0)


def test_a_daily_allowance_is_not_spread_over_the_day() -> None:
    pace = Pace(None, None)
    pace.started(0.0, 0)
    pace.heed(requests_left(14_400, 100, 80_000.0), 0.0, 1, 0)
    assert pace.ready_at(0.0, 0) < 1.0
    pace.heed(requests_left(14_400, 0, math.inf), 0.0, 1, 0)
    assert pace.ready_at(0.0, 0) == 60.0


@pytest.mark.parametrize("steady", [True, False])
def test_both_kinds_of_allowance_are_used_up_and_never_overrun(steady: bool) -> None:
    """One flows back steadily (600 a minute), the other comes back all at once every minute."""
    pace, left, now, refused, done = Pace(None, None), 600.0, 0.0, 0, 0
    while now < 600.0:
        before, now = now, max(now + 0.001, pace.ready_at(now, 0))
        if steady:
            left = min(600.0, left + (now - before) * 10)
        elif int(now // 60) > int(before // 60):
            left = 600.0
        pace.started(now, 0)
        if left < 1:
            refused += 1
            continue
        left, done = left - 1, done + 1
        reset = (600 - left) / 10 if steady else 60 - now % 60
        pace.heed(requests_left(600, int(left), reset), now, 1, 0)
    assert refused == 0
    assert done >= 0.95 * 6_000
