from __future__ import annotations

import math

import pytest

from backends.completion import TokenChance, TokenPlace
from paradigms.certainty import from_logprobs, from_samples, from_statement
from paradigms.label import Label


def places(text: str, label: str, others: dict[str, float]) -> list[TokenPlace]:
    """Tokens of four letters, except the label, which is one token with these alternatives (probabilities)."""
    before, _, after = text.rpartition(label)
    plain = [before[i : i + 4] for i in range(0, len(before), 4)]
    sure = [TokenPlace(chosen=TokenChance(token=token, logprob=-0.01)) for token in plain]
    likeliest = tuple(TokenChance(token=token, logprob=math.log(p)) for token, p in others.items())
    chosen = next(chance for chance in likeliest if chance.token == label)
    tail = [TokenPlace(chosen=TokenChance(token=after, logprob=-0.01))] if after else []
    return [*sure, TokenPlace(chosen=chosen, likeliest=likeliest), *tail]


@pytest.mark.parametrize(
    ("text", "label", "others", "expected"),
    [
        ('{"reasoning": "the real thing", "label": "real", "x": 9}', "real", {"real": 0.75, "gener": 0.25}, 0.25),
        ('{"label": "generated"}', "generated", {"generated": 0.9, "real": 0.05, "und": 0.05}, 0.9 / 0.95),
        ("It is soft.\nVerdict: real", "real", {"real": 0.6, "Gen": 0.2, "cannot": 0.2}, 0.25),
        ("**Verdict:** generated", "generated", {"generated": 0.5, "real": 0.5}, 0.5),
    ],
)
def test_the_token_of_the_label_is_read(text: str, label: str, others: dict[str, float], expected: float) -> None:
    assert from_logprobs(places(text, label, others)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "label", "others"),
    [
        ("I see a real street.", "real", {"real": 0.9}),
        ('{"label": "real"}', "real", {"real": 0.2, "undecided": 0.8}),
    ],
)
def test_elsewhere_nothing_is_made_of_it(text: str, label: str, others: dict[str, float]) -> None:
    assert from_logprobs(places(text, label, others)) is None


def test_no_tokens_say_nothing() -> None:
    assert from_logprobs([]) is None


@pytest.mark.parametrize("others", [{}, {"real": 0.9}])
def test_a_place_without_alternatives_says_nothing_about_the_other_label(others: dict[str, float]) -> None:
    likeliest = tuple(TokenChance(token=token, logprob=math.log(p)) for token, p in others.items())
    label = TokenPlace(chosen=TokenChance(token="real", logprob=-0.1), likeliest=likeliest)
    assert from_logprobs([TokenPlace(chosen=TokenChance(token="Verdict: ", logprob=0.0)), label]) is None


def test_a_token_listed_twice_counts_once() -> None:
    both = places('{"label": "real"}', "real", {"real": 0.5, "generated": 0.5})
    assert from_logprobs(both) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([Label.GENERATED, Label.GENERATED, Label.REAL, Label.UNDECIDED], 2 / 3),
        ([Label.UNDECIDED], None),
        ([], None),
    ],
)
def test_samples(labels: list[Label], expected: float | None) -> None:
    assert from_samples(labels) == (None if expected is None else pytest.approx(expected, abs=1e-5))


@pytest.mark.parametrize(
    ("label", "certainty", "expected"),
    [
        (Label.GENERATED, 90, 0.9),
        (Label.REAL, 90, 0.1),
        (Label.REAL, None, None),
        (Label.UNDECIDED, 50, None),
        (Label.GENERATED, 101, None),
        (Label.GENERATED, -1, None),
    ],
)
def test_statements(label: Label, certainty: float | None, expected: float | None) -> None:
    assert from_statement(label, certainty) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("begun", ['{"label": "', "I look at the hands first.\nVerdict: "])
def test_a_begun_answer_may_announce_the_label(begun: str) -> None:
    answered = places("generated", "generated", {"generated": 0.8, "real": 0.2})
    assert from_logprobs(answered) is None
    assert from_logprobs(answered, begun + "generated") == pytest.approx(0.8)


def test_a_label_before_the_tokens_is_not_read_off_them() -> None:
    kept = places("and that is all, real", "real", {"real": 0.8, "generated": 0.2})
    assert from_logprobs(kept, "Verdict: generated, and that is all, real") is None
