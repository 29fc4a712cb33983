"""Prompts into rows of tokens, each picture standing for the encoding that belongs there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from backends.local.conversation import Prompt
from backends.local.encoding import Encoding, NotSeparableError
from backends.local.row import Row, Span, Tokens


class RowMaker:
    """Makes rows with the tokenizer and the placeholder token of one checkpoint."""

    def __init__(self, processor: Any, placeholder: int) -> None:
        self._processor = processor
        self._placeholder = placeholder

    def row(self, prompt: Prompt, encodings: Sequence[Encoding]) -> Row:
        """The row of a prompt.

        Args:
            prompt: the rendered conversation.
            encodings: one for each of its pictures, in their order.

        Raises:
            NotSeparableError: the placeholders in the prompt are not as many as the encodings fill.
        """
        text = prompt.text
        if encodings:
            [text], _ = self._processor.get_text_with_replacements([text], [encoding.text for encoding in encodings])
        tokens = numpy.asarray(self.tokens(text), dtype=numpy.int64)
        return Row(tokens, self._kinds(tokens), self._spans(tokens, encodings))

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text; what begins every text comes before it, unless the template has written it."""
        tokenizer = self._processor.tokenizer
        begun = tokenizer.bos_token is not None and text.startswith(tokenizer.bos_token)
        ids: list[int] = tokenizer(text, add_special_tokens=not begun, verbose=False)["input_ids"]
        return ids

    def _kinds(self, tokens: Tokens) -> Tokens:
        if not getattr(self._processor, "return_mm_token_type_ids", False):
            return numpy.where(tokens == self._placeholder, 1, 0).astype(numpy.int64)
        kinds: Tokens = numpy.asarray(self._processor.create_mm_token_type_ids([tokens.tolist()])[0], dtype=numpy.int64)
        return kinds

    def _spans(self, tokens: Tokens, encodings: Sequence[Encoding]) -> tuple[Span, ...]:
        places = numpy.flatnonzero(tokens == self._placeholder)
        if len(places) != sum(encoding.count for encoding in encodings):
            raise NotSeparableError("its prompts hold another number of placeholders than a picture has features")
        spans: list[Span] = []
        for encoding in encodings:
            own, places = places[: encoding.count], places[encoding.count :]
            spans.append(Span(int(own[0]), int(own[-1]) + 1, encoding.key, encoding.count))
        return tuple(spans)
