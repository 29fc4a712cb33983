from __future__ import annotations

import numpy

from backends.local.row import Row, Span, in_common, whole_pictures


def row(tokens: list[int], *spans: Span) -> Row:
    return Row(numpy.array(tokens), numpy.zeros(len(tokens), dtype=numpy.int64), spans)


def shown(key: str, start: int = 1, end: int = 3) -> Span:
    return Span(start, end, key, end - start)


def test_what_rows_begin_with() -> None:
    assert in_common([row([1, 2, 3, 4]), row([1, 2, 5])]) == 2
    assert in_common([row([1, 2, 3]), row([1, 2, 3, 4]), row([1, 2, 3])]) == 3
    assert in_common([row([1]), row([2])]) == 0
    assert in_common([row([1, 2])]) == 2


def test_pictures_are_compared_by_what_they_show() -> None:
    tokens = [1, 9, 9, 2, 3]
    assert in_common([row(tokens, shown("a")), row(tokens, shown("a"))]) == 5
    assert in_common([row(tokens, shown("a")), row(tokens, shown("b"))]) == 1
    assert in_common([row(tokens, shown("a")), row(tokens)]) == 1
    second = [*tokens, 9, 9, 4]
    left, right = row(second, shown("a"), shown("b", 5, 7)), row(second, shown("a"), shown("c", 5, 7))
    assert in_common([left, right]) == 5


def test_no_picture_is_cut() -> None:
    one, longer = row([1, 9, 9, 2], shown("a")), row([1, 9, 9, 9, 2], shown("b", 1, 4))
    assert in_common([one, longer]) == 1
    assert [whole_pictures(one, length) for length in range(5)] == [0, 1, 1, 3, 4]


def test_the_first_tokens_and_what_lies_behind() -> None:
    whole = row([1, 9, 9, 2, 9, 3], shown("a"), shown("b", 4, 5))
    assert whole.first(3).spans == (shown("a"),)
    assert len(whole.first(3)) == 3
    assert whole.spans_from(3) == (shown("b", 4, 5),)
    assert whole.spans_from(0) == whole.spans
