from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from backends.completion import KEPT_PLACES  # noqa: E402
from backends.local.sampling import Defaults, Draw  # noqa: E402
from backends.local.writing import LIKELIEST, Line, Lines, places  # noqa: E402
from backends.request import Sampling  # noqa: E402

WORDS = 5000
END = 0
PAD = 1


class Numbers:
    """Decodes tokens to their numbers."""

    def decode(self, tokens: list[int]) -> str:
        return " ".join(map(str, tokens))


def line(limit: int = 1000, **more: Any) -> Line:
    sampling = Sampling(more.pop("temperature", 0.0), limit, top_p=more.pop("top_p", None), seed=1)
    return Line(Draw(sampling, Defaults()), limit, **more)


def logits(*likely: int) -> Any:
    """One row a number: that token is the likeliest, and those after it follow."""
    rows = torch.zeros(len(likely), WORDS)
    for row, token in enumerate(likely):
        rows[row, token : token + LIKELIEST] = torch.arange(2 * LIKELIEST, LIKELIEST, -1.0)
    return rows


def write(lines: list[Line], *steps: Any) -> None:
    """Let the lines go on by these steps, each the logits of all rows."""
    writer = Lines(lines, frozenset({END}), PAD)
    with torch.inference_mode():
        for step in steps:
            writer(torch.zeros(len(lines), 1, dtype=torch.long), step)


def test_of_a_place_only_the_likeliest_are_kept_and_not_the_vocabulary() -> None:
    one = line(chances=True)
    write([one], *(logits(20 + step) for step in range(KEPT_PLACES + 7)))
    assert len(one.tokens) == KEPT_PLACES + 7
    assert len(one.seen) == KEPT_PLACES
    kept = max(tensor.untyped_storage().nbytes() for seen in one.seen for tensor in (seen.tokens, seen.logprobs))
    assert kept <= 8 * (1 + LIKELIEST)


def test_the_places_kept_are_those_of_the_last_tokens_and_not_of_the_end() -> None:
    one = line(chances=True)
    write([one], logits(30), logits(40), logits(END))
    assert one.ended
    found = places(one, Numbers())
    assert [place.chosen.token for place in found] == ["30", "40"]
    assert [chance.token for chance in found[1].likeliest] == ["40", "41", "42", "43", "44"]
    assert found[1].likeliest[0] == found[1].chosen
    expected = torch.log_softmax(logits(40)[0], -1)[40:45].tolist()
    assert [chance.logprob for chance in found[1].likeliest] == pytest.approx(expected)


@pytest.mark.parametrize(
    "sampling", [{"chances": True}, {"temperature": 0.7}, {"temperature": 0.7, "top_p": 0.9, "chances": True}]
)
def test_a_step_waits_for_the_device_once_however_many_rows_there_are(sampling: dict[str, Any]) -> None:
    lines = [line(**sampling) for _ in range(8)]
    with torch.profiler.profile() as profile:
        write(lines, logits(*range(20, 28)))
    waits = {event.key: event.count for event in profile.key_averages() if event.key in WAITING}
    assert waits == {}
    assert [len(one.tokens) for one in lines] == [1] * 8


WAITING = {"aten::item", "aten::_local_scalar_dense", "aten::nonzero"}
"""What waits for the device, beside the one copy of the chosen tokens to the host."""


class Only:
    """A grammar of one token, and then the end."""

    failure = None

    def __init__(self, token: int) -> None:
        self._token = token
        self.finished = False

    def allowed(self, width: int) -> Any:
        return torch.arange(width) == self._token

    def take(self, token: int) -> None:
        self.finished = True


THOUGHT = 70


@pytest.mark.parametrize(
    ("likely", "tokens", "begins"),
    [
        # It comes to an end of its thinking by itself, or when its room is used up.
        ([20, THOUGHT, 30], [20, THOUGHT, 99], 2),
        ([20, 21, 22, 30], [20, 21, 22, THOUGHT, 99], 4),
        # It may not end before it has answered.
        ([END, END, END, END], [1, 1, 1, THOUGHT, 99], 4),
    ],
)
def test_a_line_thinks_freely_and_then_follows_its_form(likely: list[int], tokens: list[int], begins: int) -> None:
    thinker = line(thought=THOUGHT, thinking=3, grammar=Only(99))
    write([thinker], *(logits(token) for token in (*likely, 40, 41, 42)))
    assert (thinker.tokens, thinker.begins, thinker.ended) == (tokens, begins, True)


def test_lines_that_think_and_lines_that_do_not_go_side_by_side() -> None:
    thinker, other = line(thought=THOUGHT, thinking=1), line(grammar=Only(99))
    write([thinker, other], logits(20, 20), logits(21, 21), logits(22, 22))
    assert thinker.tokens == [20, THOUGHT, 22]
    assert (other.tokens, other.ended) == ([99], True)
