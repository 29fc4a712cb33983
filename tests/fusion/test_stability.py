from __future__ import annotations

import pytest

from fusion.stability import stability_words, weigh
from fusion.verdict import Variant
from paradigms.label import Label

G, R, U = Label.GENERATED, Label.REAL, Label.UNDECIDED


@pytest.mark.parametrize(
    ("labels", "stable", "agreeing"),
    [
        ([G], True, 1),
        ([R], False, 0),
        ([U], False, 0),
        ([G, G, G, R], False, 3),
        ([G, U], False, 1),
        ([G, G, U], True, 2),
        ([G, U, None], False, 1),
        ([G, None, None], True, 1),
        ([None], None, 0),
    ],
)
def test_a_label_stands_unless_one_variant_flips_or_half_lose_it(
    labels: list[Label | None], stable: bool | None, agreeing: int
) -> None:
    variants = [
        Variant(name=f"v{place}", label=label, error=None if label else "silent") for place, label in enumerate(labels)
    ]
    stability = weigh(G, variants)
    assert (stability.stable, stability.agreeing) == (stable, agreeing)
    assert stability.flipped_by == tuple(it.name for it in variants if it.label is R)


def test_it_is_told_in_one_sentence_who_agreed_and_who_did_not() -> None:
    variants = [Variant(name=name, label=label) for name, label in zip("abcd", (G, R, U, G), strict=True)]
    words = stability_words(weigh(G, variants))
    assert words == "2 of 4 mild variants of the picture read as generated too (not so: b; undecided: c)."
    assert stability_words(weigh(R, variants[:1])) == (
        "0 of 1 mild variants of the picture read as a photograph too (not so: a)."
    )
