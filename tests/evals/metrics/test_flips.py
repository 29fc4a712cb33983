from __future__ import annotations

from evals.metrics.columns import read
from evals.metrics.flips import flips


def judged(judgment, labels: str, perturbation: str):
    """Cases c0, c1, …; a space is a case that was not judged."""
    rows = enumerate(labels)
    return read(judgment(f"c{n}", "-", label, perturbation=perturbation) for n, label in rows if label != " ")


def test_flips_by_hand(judgment) -> None:
    """Pairs: r→g, r→r, g→r, g→u, g→e, u→g; c6 and c7 lack a partner."""
    found = flips(judged(judgment, "rrgggur", "none"), judged(judgment, "grrueg r", "blur"))
    assert (found.arm, found.perturbation, found.pairs) == ("six", "blur", 6)
    assert (found.flipped.events, found.flipped.n) == (2, 5)
    assert (found.changed.events, found.changed.n) == (4, 5)
    assert (found.to_generated, found.to_real) == (1, 1)


def test_no_flip_is_not_known_to_be_none(judgment) -> None:
    found = flips(judged(judgment, "rg" * 10, "none"), judged(judgment, "rg" * 10, "blur"))
    assert found.flipped.value == 0
    assert found.flipped.high > 0.15


def test_without_pairs_it_is_undefined(judgment) -> None:
    found = flips(judged(judgment, "r ", "none"), judged(judgment, " r", "blur"))
    assert (found.pairs, found.flipped.value, found.changed.value) == (0, None, None)
