"""Answers that follow a JSON Schema: llguidance says at each place which tokens may stand there."""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Mapping
from importlib.util import find_spec
from typing import Any

import numpy
import torch

from backends.errors import UnsupportedError


def has_llguidance() -> bool:
    """Whether llguidance is installed."""
    return find_spec("llguidance") is not None


class Grammars:
    """Makes grammars for one tokenizer.

    Args:
        tokenizer: the tokenizer of a checkpoint.
        width: for how many tokens the model gives a logit; often more than the tokenizer has.
        ends: the tokens that end an answer.
    """

    def __init__(self, tokenizer: Any, width: int, ends: Collection[int]) -> None:
        self._tokenizer = tokenizer
        self._width = max(width, len(tokenizer))
        self._ends = sorted(ends)

    @functools.cached_property
    def _vocabulary(self) -> Any:
        """The tokenizer as llguidance sees it: a second of work for a large vocabulary, once.

        Raises:
            UnsupportedError: it is of a kind that llguidance does not read.
        """
        import llguidance.hf

        try:
            return llguidance.hf.from_tokenizer(self._tokenizer, n_vocab=self._width, eos_token=self._ends)
        except (ValueError, AttributeError) as error:
            raise UnsupportedError(
                "llguidance cannot read this checkpoint's tokenizer; ask without a schema."
            ) from error

    def follow(self, schema: Mapping[str, Any], prefill: str | None) -> Grammar:
        """A grammar for one answer, without blanks between the parts of the JSON.

        When `prefill` is how such an answer can begin, the grammar goes on from its end; otherwise all of the JSON
        comes after it.

        Raises:
            UnsupportedError: the schema says something that cannot be followed.
        """
        import llguidance

        plain = json.dumps(schema, ensure_ascii=False)
        grammar = llguidance.LLMatcher.grammar_from_json_schema(plain, {"whitespace_flexible": False})
        matcher = llguidance.LLMatcher(self._vocabulary, grammar, log_level=0)
        if matcher.is_error():
            said = (matcher.get_error().splitlines() or ["unknown"])[0][:200]
            raise UnsupportedError(f"The schema cannot be followed: {said}; ask without it.")
        if prefill:
            begun = self._vocabulary.tokenize_str(prefill)
            if matcher.validate_tokens(begun) == len(begun):
                matcher.consume_tokens(begun)
        return Grammar(matcher)


class Grammar:
    """Where one answer stands in its grammar."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    @property
    def finished(self) -> bool:
        """Whether nothing but the end may follow."""
        return bool(self._matcher.is_stopped())

    @property
    def failure(self) -> str | None:
        """Why the grammar gave up before its end, if it did."""
        return (self._matcher.get_error().splitlines() or ["unknown"])[0][:200] if self._matcher.is_error() else None

    def allowed(self, width: int) -> torch.Tensor:
        """Which tokens may come next: booleans, one for each of so many logits, on the CPU."""
        bits = numpy.unpackbits(numpy.frombuffer(self._matcher.compute_bitmask(), numpy.uint8), bitorder="little")
        allowed = torch.zeros(width, dtype=torch.bool)
        allowed[: min(width, len(bits))] = torch.from_numpy(bits[:width].astype(bool))
        return allowed

    def take(self, token: int) -> None:
        """Go on behind this token."""
        self._matcher.consume_token(token)
