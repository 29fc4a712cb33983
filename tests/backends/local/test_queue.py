from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest

from backends.local.queue import Asked, Queue
from backends.request import Origin
from tests.backends.conftest import make_picture


@pytest.fixture
def asked(request_of):
    def make(question: str = "q", case: str = "", **changes: Any) -> Asked:
        request = dataclasses.replace(request_of(question, **changes), origin=Origin(case=case))
        return Asked(request, asyncio.get_running_loop().create_future())

    return make


def queue_of(*rows: Asked) -> Queue:
    queue = Queue()
    for row in rows:
        queue.add(row)
    return queue


def names(rows: list[Asked]) -> list[str]:
    return [row.request.messages[-1].text for row in rows]


@pytest.mark.parametrize(
    ("changes", "together"),
    [
        ({}, True),
        ({"max_tokens": 7}, True),
        ({"schema": {"type": "object"}}, True),
        ({"prefill": "{"}, True),
        ({"logprobs": True}, True),
        ({"sample": 1}, True),
        ({"temperature": 0.7}, False),
        ({"temperature": None}, False),
        ({"top_p": 0.5}, False),
        ({"seed": 1}, False),
    ],
)
async def test_only_what_is_drawn_alike_goes_together(asked, changes, together):
    assert asked().goes_with(asked(**changes)) is together
    assert len(queue_of(asked(), asked(**changes)).take(8)) == 1 + together


async def test_samples_of_one_seed_are_drawn_apart(asked):
    assert not asked(seed=1).goes_with(asked(seed=1, sample=1))


async def test_the_oldest_goes_first_and_those_of_its_case_or_picture_go_with_it(asked):
    other = make_picture(64, 64)
    rows = [
        asked("old", case="a"),
        asked("elsewhere", case="b", pictures=(other,)),
        asked("same picture", case="c"),
        asked("text of the case", case="a", pictures=()),
        asked("text", pictures=()),
    ]
    queue = queue_of(*rows)
    assert names(queue.take(3)) == ["old", "same picture", "text of the case"]
    assert names(queue.take(3)) == ["elsewhere", "text"]
    assert queue.take(3) == []


async def test_an_old_one_that_goes_with_nobody_does_not_wait_for_ever(asked):
    queue = queue_of(asked("1"), asked("hot", temperature=1.0), *(asked(str(number)) for number in range(2, 9)))
    assert names(queue.take(4)) == ["1", "2", "3", "4"]
    assert names(queue.take(4)) == ["hot"]


async def test_nobody_waits_for_a_row_that_is_done(asked):
    gone, wanted = asked("gone"), asked("wanted")
    gone.answer.cancel()
    queue = queue_of(gone, wanted)
    assert names(queue.waiting()) == ["wanted"]
    assert names(queue.take(8)) == ["wanted"]


async def test_rows_put_back_go_first_and_alone_ones_by_themselves(asked):
    queue = queue_of(asked("1"), asked("2"), asked("3"), asked("4"))
    batch = queue.take(2)
    for row in batch:
        row.alone = True
    queue.put_back(batch)
    assert [names(queue.take(8)) for _ in range(3)] == [["1"], ["2"], ["3", "4"]]
