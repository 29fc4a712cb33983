from backends.layers.window import Window


class Calls:
    """Drives a window as if calls were answered and refused one after the other, all slots in use."""

    def __init__(self, start: int = 8, ceiling: int = 64) -> None:
        self.window = Window(start, ceiling)
        self.made = 0
        self.now = 0.0

    def answer(self, count: int = 1, level: int | None = None, busy: bool = True) -> None:
        for _ in range(count):
            self.made += 1
            self.window.answered(self.made, level or self.window.size, busy, self.now)

    def refuse(self, level: int | None = None, pause: float = 0.0) -> None:
        self.made += 1
        self.window.refused(self.made, level or self.window.size, self.made, self.now, pause)


def test_it_doubles_with_every_round_trip_until_the_first_refusal() -> None:
    calls = Calls(start=8, ceiling=100)
    calls.answer(8)
    assert calls.window.size == 16
    calls.answer(16)
    assert calls.window.size == 32
    calls.refuse()
    assert calls.window.size == 25
    calls.answer(1)
    assert calls.window.size == 26, "back to where it went well at once"
    calls.answer(30)
    assert calls.window.size == 31


def test_it_never_leaves_its_bounds() -> None:
    calls = Calls(start=8, ceiling=20)
    calls.answer(100)
    assert calls.window.size == 20
    for _ in range(50):
        calls.refuse(level=1)
    assert calls.window.size == 1
    assert Window(start=50, ceiling=4).size == 4


def test_it_grows_only_while_all_slots_are_in_use() -> None:
    calls = Calls()
    calls.answer(500, level=3, busy=False)
    assert calls.window.size == 8


def test_a_refusal_shrinks_by_a_fifth() -> None:
    calls = Calls(start=10)
    calls.refuse()
    assert calls.window.limit == 8.0


def test_refusals_of_calls_that_were_under_way_together_are_one_signal() -> None:
    window = Window(10, 64)
    for call in range(1, 11):
        window.refused(call, level=call, newest=10, now=0.0, pause=0.0)
    assert window.limit == 8.0
    window.refused(11, level=8, newest=11, now=0.0, pause=0.0)
    assert window.size == 6


def test_at_a_wall_it_stays_for_forty_answers_and_then_tries_one_more() -> None:
    calls = Calls(start=8)
    calls.answer(1)
    calls.refuse(level=9)
    calls.answer(1)
    assert calls.window.limit == 8.0
    calls.answer(39)
    assert calls.window.size == 8
    calls.answer(1)
    assert calls.window.size == 9


def test_a_refusal_that_stopped_everything_is_not_provoked_again_soon() -> None:
    calls = Calls(start=8)
    calls.answer(1)
    calls.refuse(level=9, pause=2.0)
    calls.now = 39.0
    calls.answer(200)
    assert calls.window.size == 8
    calls.now = 40.0
    calls.answer(1)
    assert calls.window.size == 9


def test_a_refusal_among_as_many_as_went_well_before_is_no_wall() -> None:
    calls = Calls(start=8)
    calls.answer(8, level=8, busy=False)
    calls.refuse(level=8)
    assert calls.window.size == 6
    calls.answer(40)
    assert calls.window.size >= 7, "growth goes on, slowly"
    calls.answer(60)
    assert calls.window.size >= 9


def test_growth_speeds_up_when_nothing_is_refused_for_long() -> None:
    calls = Calls(start=8, ceiling=500)
    calls.answer(8, level=8, busy=False)
    calls.refuse(level=8)
    calls.answer(100)
    early = calls.window.limit
    calls.answer(400)
    assert calls.window.limit > 8 * early


def test_calls_beside_a_refused_one_prove_nothing() -> None:
    """They were counted together with it, but the server had turned it away."""
    window = Window(8, 64)
    window.answered(1, level=8, busy=True, now=0.0)
    window.refused(10, level=9, newest=12, now=0.0, pause=0.0)
    window.answered(11, level=9, busy=False, now=0.0)
    window.refused(13, level=9, newest=13, now=0.0, pause=0.0)
    for call in range(14, 40):
        window.answered(call, level=7, busy=True, now=0.0)
    assert window.size == 8, "9 is still known to be too many"
