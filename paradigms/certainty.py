"""How sure a model is that a picture is generated: from token probabilities, from samples, or as it says itself."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from backends.completion import TokenPlace
from paradigms.label import Label

_VALUE = re.compile(r'(?:"label"\s*:\s*"|verdict\W{1,6})(?=generated|real)', re.IGNORECASE)
_MIN_MASS = 0.5
"""The least probability that both labels together need at that place; below it the token was about something else."""


def from_logprobs(places: Sequence[TokenPlace], text: str = "") -> float | None:
    """The chance of `generated` against `real` where the label stands, in [0, 1]; None when that cannot be told.

    Looks at the token with which the last stated label begins, and sums the likeliest tokens that begin either label.
    A place without alternatives says nothing about the other label.

    Args:
        places: the last tokens of the answer, or all of them.
        text: the whole turn. What it holds before the tokens, for example a prefill, may announce the label.
    """
    tokens = [place.chosen.token for place in places]
    start = _label_start(tokens, _before(tokens, text))
    if start is None or not {chance.token for chance in places[start].likeliest} - {places[start].chosen.token}:
        return None
    generated = real = 0.0
    place = places[start]
    seen: set[str] = set()
    for chance in (*place.likeliest, place.chosen):
        if chance.token in seen:
            continue
        seen.add(chance.token)
        token = chance.token.strip(" \t\n\"'*`:").lower()
        if token and ("generated".startswith(token) or token.startswith("generated")):
            generated += math.exp(min(chance.logprob, 0.0))
        elif token and ("real".startswith(token) or token.startswith("real")):
            real += math.exp(min(chance.logprob, 0.0))
    mass = generated + real
    return round(min(generated / mass, 1.0), 6) if mass >= _MIN_MASS else None


def from_samples(labels: Sequence[Label]) -> float | None:
    """The share of `generated` among the samples that took a side, in [0, 1]; None when none did."""
    sides = [label for label in labels if label is not Label.UNDECIDED]
    return round(sides.count(Label.GENERATED) / len(sides), 6) if sides else None


def from_statement(label: Label, certainty: float | None) -> float | None:
    """What a stated certainty (per cent) of a label amounts to, in [0, 1]; None when it says nothing clear."""
    if certainty is None or label is Label.UNDECIDED or not 0 <= certainty <= 100:
        return None
    share = certainty / 100
    return round(share if label is Label.GENERATED else 1 - share, 6)


def _before(tokens: Sequence[str], text: str) -> str:
    """What stands in the text before the tokens."""
    written = "".join(tokens).strip()
    return text[: max(0, text.rfind(written))] if written else ""


def _label_start(tokens: Sequence[str], before: str) -> int | None:
    """The index of the token in which the last stated label begins."""
    found = None
    for found in _VALUE.finditer(before + "".join(tokens)):  # noqa: B007 - the last one is wanted
        pass
    if found is None or found.end() < len(before):
        return None
    offset = len(before)
    for index, token in enumerate(tokens):
        offset += len(token)
        if offset > found.end():
            return index
    return None
