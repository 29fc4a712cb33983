from __future__ import annotations

import pytest

from backends.completion import Completion, Stop
from backends.request import Message, Origin, Request, Text
from paradigms.storable import storable

from .conftest import form, said

REFUSAL = "I'm sorry, but I can't help with that."


def keeps(purpose: str, completion: Completion) -> bool:
    request = Request((Message("user", (Text("Well?"),)),), origin=Origin(purpose=purpose))
    return storable(request, completion)


@pytest.mark.parametrize(
    ("purpose", "text"),
    [
        ("verdict", form("generated")),
        ("verdict", form("undecided")),
        ("verdict", "The grain is even.\nVerdict: cannot tell"),
        ("follow_up", "Verdict: real"),
        ("subject", "subject: dog\nmedium: photograph"),
        ("text", "wheels\nframe"),
        ("", "wheels\nframe"),
    ],
)
def test_whole_answers_that_can_be_read_are_kept(purpose: str, text: str) -> None:
    assert keeps(purpose, said(text))


@pytest.mark.parametrize("purpose", ["verdict", "follow_up", "subject", "text", ""])
@pytest.mark.parametrize("stop", [Stop.LENGTH, Stop.REFUSAL, Stop.FILTER, Stop.EMPTY])
def test_nothing_that_ended_otherwise_is_kept(purpose: str, stop: Stop) -> None:
    assert not keeps(purpose, said(form("real", reasoning="subject: dog"), stop))


@pytest.mark.parametrize("purpose", ["verdict", "follow_up", "subject", "text", ""])
@pytest.mark.parametrize("text", ["", " \n", REFUSAL, "<think>wheels and"])
def test_nothing_that_says_nothing_is_kept(purpose: str, text: str) -> None:
    assert not keeps(purpose, said(text))


@pytest.mark.parametrize(
    ("purpose", "text"),
    [("verdict", "qwertz"), ("verdict", form("real") + form("generated")), ("follow_up", "Hm."), ("subject", "A dog.")],
)
def test_nothing_that_cannot_be_read_for_its_purpose_is_kept(purpose: str, text: str) -> None:
    assert not keeps(purpose, said(text))
