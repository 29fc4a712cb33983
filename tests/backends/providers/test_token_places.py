from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from backends.completion import KEPT_PLACES, Completion
from backends.providers.chat_reply import ChatReply
from backends.providers.token_places import Places, token_places


class Body(BaseModel):
    logprobs: Places = None


def place(token="real", logprob=-0.5, **fields):
    return {"token": token, "logprob": logprob, "top_logprobs": [{"token": "generated", "logprob": -1.0}], **fields}


def read(text: str):
    return token_places(Body.model_validate_json(text).logprobs)


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        [],
        "yes",
        {"tokens": ["real"], "token_logprobs": [-0.5]},
        [{"token": "real"}],
        [place(logprob=None)],
        [place(logprob=float("nan"))],
        [place(top_logprobs={"real": -0.5})],
        [place(top_logprobs=None), place(top_logprobs=[])],
    ],
)
def test_what_cannot_be_used_is_not_given(logprobs):
    assert read(json.dumps({"logprobs": logprobs})) is None
    choice = {"message": {"content": "A lamp."}, "logprobs": {"content": logprobs}}
    completion = ChatReply.model_validate_json(json.dumps({"choices": [choice]})).completion("s", "m")
    assert (completion.text, completion.logprobs) == ("A lamp.", None)


@pytest.mark.parametrize("logprobs", [[], "no", 7])
def test_a_field_of_another_kind_loses_no_answer(logprobs):
    choice = {"message": {"content": "A lamp."}, "logprobs": logprobs}
    completion = ChatReply.model_validate_json(json.dumps({"choices": [choice]})).completion("s", "m")
    assert (completion.text, completion.logprobs) == ("A lamp.", None)


def test_what_a_grammar_forbids_can_be_stored():
    places = read(json.dumps({"logprobs": [place(logprob=float("-inf")), place(logprob=1e-9)]}))
    assert [one.chosen.logprob for one in places] == [-9999.0, 0.0]
    completion = Completion(text="x", model="m", backend="s", logprobs=places)
    assert Completion.model_validate_json(completion.model_dump_json()) == completion


def test_only_the_end_of_an_answer_is_kept():
    places = read(json.dumps({"logprobs": [place(str(n)) for n in range(KEPT_PLACES + 10)]}))
    assert [one.chosen.token for one in places] == [str(n) for n in range(10, KEPT_PLACES + 10)]
