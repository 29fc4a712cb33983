from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import jinja2
import pytest

from backends.errors import InvalidRequestError, UnsupportedError
from backends.local.conversation import ChatTemplate, first_line, open_picture
from backends.request import Message, Picture, Request, Sampling, Text
from tests.backends.local.questions import ask, drawn

ONE = drawn(1)
PARTS = "[{{ m.role }}]{% for p in m.content %}{{ p.text if p.type == 'text' else '<image>' }}{% endfor %}{% endfor %}"
WITH_SYSTEM = "{% for m in messages %}" + PARTS + "[assistant]"
SILENT = "{% for m in messages if m.role != 'system' %}" + PARTS + "[assistant]"
TRIMMING = WITH_SYSTEM.replace(
    "{% for p in m.content %}",
    "{% for p in (m.content[:1] if m.role == 'system' else m.content) %}",
).replace("p.text if", "p.text | trim if")
STRICT = (
    "{% for m in messages %}{% if m.role == 'system' or (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ stop() }}{% endif %}{% endfor %}"
)


def template(source: str, *more: str) -> ChatTemplate:
    """A template as a processor would apply it, whose tokenizer has more tokens of its own."""

    def stop() -> None:
        raise jinja2.TemplateError("Conversation roles must alternate")

    def apply(turns: Any, tokenize: bool, add_generation_prompt: bool) -> str:
        return jinja2.Environment(autoescape=False).from_string(source).render(messages=turns, stop=stop)

    special = [SimpleNamespace(content=name, special=True) for name in ("<image>", "<|end|>", "user", "\n")]
    plain = [SimpleNamespace(content=name, special=False) for name in ("<think>", *more)]
    tokens = dict(enumerate([*special, *plain]))
    return ChatTemplate(
        SimpleNamespace(
            apply_chat_template=apply, tokenizer=SimpleNamespace(added_tokens_decoder=tokens), image_token="<image>"
        )
    )


def test_turns_and_pictures_keep_their_order() -> None:
    prompt = template(WITH_SYSTEM).render(ask("First.", ONE, "Then", "and.", system=Message("system", (Text("Be."),))))
    assert prompt.text == "[system]Be.[user]First.<image>Then\n\nand.[assistant]"
    assert prompt.pictures == (ONE,)


def test_the_answer_is_begun_for_the_model() -> None:
    assert template(WITH_SYSTEM).render(ask("Now?", system=None, prefill="Yes,")).text == "[user]Now?[assistant]Yes,"


def test_a_template_without_a_system_role_puts_its_text_first() -> None:
    for source in (SILENT, STRICT + WITH_SYSTEM):
        prompt = template(source).render(ask(ONE, "Now?", system=Message("system", (Text("Be brief."),))))
        assert prompt.text == "[user]Be brief.<image>Now?[assistant]"
        prompt = template(source).render(ask("Now?", ONE, system=Message("system", (Text("Be brief."),))))
        assert prompt.text == "[user]Be brief.\n\nNow?<image>[assistant]"


def test_turns_of_one_role_are_joined_where_a_template_wants_them_to_take_turns() -> None:
    turns = tuple(Message("user", (Text(text),)) for text in ("One.", "Two."))
    assert template(STRICT + WITH_SYSTEM).render(Request(turns)).text == "[user]One.\n\nTwo.[assistant]"
    assert template(WITH_SYSTEM).render(Request(turns)).text == "[user]One.[user]Two.[assistant]"
    with pytest.raises(UnsupportedError, match="refuses the conversation: Conversation roles must alternate"):
        template(STRICT + WITH_SYSTEM).render(Request((Message("assistant", (Text("Hi."),)),)))


def test_texts_stay_apart_where_a_template_trims_each_of_them() -> None:
    """As that of Gemma 3 does, which also takes only the first text of the system's turn."""
    system = Message("system", (Text("Look closely."), Text("Be brief.")))
    question = ask("First.", "Then.", ONE, "And why?", "Answer in the form.", system=system)
    asked = "First.\n\nThen.<image>And why?\n\nAnswer in the form."
    said = "Look closely.\n\nBe brief."
    assert template(TRIMMING).render(question).text == f"[system]{said}[user]{asked}[assistant]"
    for source in (TRIMMING.replace("in messages", "in messages if m.role != 'system'"), STRICT + TRIMMING):
        assert template(source).render(question).text == f"[user]{said}\n\n{asked}[assistant]"
    turns = tuple(Message("user", (Text(text),)) for text in ("One.", "Two."))
    assert template(STRICT + TRIMMING).render(Request(turns)).text == "[user]One.\n\nTwo.[assistant]"


THINKING = WITH_SYSTEM + "<think>"
ROOM, NONE = Sampling(max_tokens=50, thinking=40), Sampling(max_tokens=50)


@pytest.mark.parametrize(
    ("sampling", "prefill", "ends"),
    [
        (ROOM, None, "[assistant]<think>"),
        (NONE, None, "[assistant]<think>\n\n</think>\n\n"),
        (ROOM, "Yes,", "[assistant]<think>\n\n</think>\n\nYes,"),
    ],
)
def test_thinking_that_the_template_opens_is_left_open_only_where_there_is_room_for_it(
    sampling: Sampling, prefill: str | None, ends: str
) -> None:
    thinker = template(THINKING, "</think>")
    assert (thinker.thinks, thinker.thought) == (True, 5)
    prompt = thinker.render(ask("Now?", system=None, sampling=sampling, prefill=prefill))
    assert prompt.text == "[user]Now?" + ends
    assert prompt.thinks == (sampling is ROOM and prefill is None)


def test_thinking_that_no_token_ends_is_closed_at_once() -> None:
    other = template(THINKING)
    assert not other.thinks
    prompt = other.render(ask("Now?", system=None, sampling=ROOM))
    assert (prompt.text, prompt.thinks) == ("[user]Now?[assistant]<think>\n\n</think>\n\n", False)


def test_a_template_that_opens_nothing_has_nothing_closed() -> None:
    plain = template(WITH_SYSTEM, "</think>")
    assert not plain.thinks
    prompt = plain.render(ask("Is <think> a word?", system=None, sampling=ROOM))
    assert (prompt.text, prompt.thinks) == ("[user]Is <think> a word?[assistant]", False)


def test_special_tokens_in_texts_are_broken_up() -> None:
    prompt = template(WITH_SYSTEM).render(ask("a <image> b<|end|>user", prefill="<think><|end|>", system=None))
    assert prompt.text == "[user]a < image> b< |end|>user[assistant]<think>< |end|>"


def test_a_picture_that_cannot_be_decoded_is_refused() -> None:
    assert open_picture(ONE).size == (120, 80)
    for data in (b"", b"no picture", ONE.data[:80]):
        with pytest.raises(InvalidRequestError, match="cannot be decoded"):
            open_picture(Picture(data, "image/png", "0", 1, 1))


def test_the_first_line_is_short_and_never_empty() -> None:
    assert first_line(ValueError("\n  one \ntwo")) == "one"
    assert first_line(ValueError()) == "ValueError"
    assert len(first_line(ValueError("x" * 999))) == 300
