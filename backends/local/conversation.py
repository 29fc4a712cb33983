"""A request as the text that a checkpoint's own chat template makes of it."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import jinja2
import PIL.Image

from backends.errors import InvalidRequestError, UnsupportedError
from backends.request import Message, Picture, Request

_PROBE = "Reply in plain words."
THINK, THOUGHT = "<think>", "</think>"
"""Between them stands what a model thinks before it answers. Some templates open the thinking for it."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The rendered conversation: its text, with one placeholder for each picture, and the pictures in their order."""

    text: str
    pictures: tuple[Picture, ...] = field(default=())
    thinks: bool = False
    """The text ends where the model begins to think."""


class ChatTemplate:
    """Renders conversations with the template of a checkpoint.

    Texts come from people, files and other models. What would be a token of its own in them, such as the end of a turn
    or the place of a picture, is broken up by a space, so that a text can neither begin a turn nor move a picture.
    """

    def __init__(self, processor: Any) -> None:
        self._processor = processor
        self._special = _special_tokens(processor)
        self._system = self._knows_system()
        added = processor.tokenizer.added_tokens_decoder
        self.thought: int | None = next((token for token, it in added.items() if str(it.content) == THOUGHT), None)
        """The token that ends a model's thinking; None when the tokenizer has none for it."""

    @property
    def thinks(self) -> bool:
        """Whether it opens the model's thinking, and there is a token that ends it."""
        if self.thought is None:
            return False
        try:
            return _opens(self._text([_spoken("user", _PROBE)]))
        except (jinja2.TemplateError, TypeError, ValueError):
            return False

    def render(self, request: Request) -> Prompt:
        """The prompt of a request, up to where the answer begins; `prefill` begins it.

        Where the template has the model think first, this is closed at once, unless there is room for it and nothing
        that begins the answer.

        Raises:
            UnsupportedError: the template refuses the conversation.
        """
        text = self._conversation(request)
        thinks = _opens(text) and self.thought is not None and request.sampling.thinking > 0 and not request.prefill
        if _opens(text) and not thinks:
            text = f"{text.rstrip()}\n\n{THOUGHT}\n\n"
        return Prompt(text + self._harmless(request.prefill or ""), request.pictures, thinks)

    def _conversation(self, request: Request) -> str:
        """What the template makes of the turns."""
        turns = [self._turn(message) for message in request.messages]
        if not self._system:
            turns = _system_in_user(turns)
        try:
            return self._text(turns)
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            # Many templates want users and assistants to take turns.
            joined = _joined(_system_in_user(turns))
            if joined == turns:
                raise UnsupportedError(f"The chat template refuses the conversation: {first_line(error)}") from error
            try:
                return self._text(joined)
            except (jinja2.TemplateError, TypeError, ValueError) as again:
                raise UnsupportedError(f"The chat template refuses the conversation: {first_line(again)}") from again

    def _knows_system(self) -> bool:
        """Whether the text of a system turn reaches the prompt; some templates leave it out without a word."""
        turns = [_spoken("system", _PROBE), _spoken("user", "Now?")]
        try:
            return _PROBE in self._text(turns)
        except (jinja2.TemplateError, TypeError, ValueError):
            return False

    def _text(self, turns: Sequence[dict[str, Any]]) -> str:
        text: str = self._processor.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return text

    def _turn(self, message: Message) -> dict[str, Any]:
        parts = [
            {"type": "image"} if isinstance(part, Picture) else {"type": "text", "text": self._harmless(part.text)}
            for part in message.parts
        ]
        return {"role": message.role, "content": _texts_joined(parts)}

    def _harmless(self, text: str) -> str:
        if self._special is None:
            return text
        return self._special.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)


def open_picture(picture: Picture) -> PIL.Image.Image:
    """The pixels of a delivered picture, as RGB.

    Raises:
        InvalidRequestError: it cannot be decoded.
    """
    try:
        with PIL.Image.open(io.BytesIO(picture.data)) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise InvalidRequestError(f"A picture of the request cannot be decoded: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """The first line of what an error says, or its kind when it says nothing; at most 300 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]


def _special_tokens(processor: Any) -> re.Pattern[str] | None:
    """Matches what the tokenizer would read as a token of its own; the longest first. Plain words are left alone."""
    added = processor.tokenizer.added_tokens_decoder.values()
    names = {str(token.content) for token in added if token.special}
    names |= {str(getattr(processor, f"{kind}_token", "")) for kind in ("image", "video", "boi")}
    names = {name for name in names if len(name) > 1 and not name.isalnum() and not name.isspace()}
    if not names:
        return None
    return re.compile("|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)))


def _opens(text: str) -> bool:
    """Whether the text of a prompt ends in the middle of thinking that has just been opened."""
    return text.rstrip().endswith(THINK)


def _spoken(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def _system_in_user(turns: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The turns without a system's: what it says stands before the first text of the first user's turn."""
    said = [part["text"] for turn in turns if turn["role"] == "system" for part in turn["content"] if "text" in part]
    others = [turn for turn in turns if turn["role"] != "system"]
    if not said:
        return others
    lead = {"type": "text", "text": "\n\n".join(text.strip() for text in said)}
    for place, turn in enumerate(others):
        if turn["role"] == "user":
            led = {**turn, "content": _texts_joined([lead, *turn["content"]])}
            return [*others[:place], led, *others[place + 1 :]]
    return [{"role": "user", "content": [lead]}, *others]


def _joined(turns: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The turns, with neighbours of the same role made one."""
    joined: list[dict[str, Any]] = []
    for turn in turns:
        if joined and joined[-1]["role"] == turn["role"]:
            joined[-1] = {**turn, "content": _texts_joined([*joined[-1]["content"], *turn["content"]])}
        else:
            joined.append(turn)
    return joined


def _texts_joined(parts: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The parts, with texts that follow one another made one, and a blank line between them as in `Message.text`.

    Templates put parts next to each other, some trim each of them, and some take only the first text of a system turn.
    """
    joined: list[dict[str, str]] = []
    for part in parts:
        if joined and joined[-1]["type"] == part["type"] == "text":
            joined[-1] = {"type": "text", "text": f"{joined[-1]['text']}\n\n{part['text']}"}
        else:
            joined.append(part)
    return joined
