"""What the label `generated` is worth where generated pictures are rare or common."""

from __future__ import annotations

from typing import NamedTuple

from fusion.verdict import CalibrationNote

NOT_MEASURED = "not measured here"
GENERATED_OF_100 = (1, 10, 50)


class Worth(NamedTuple):
    """Of 100 pictures called generated, how many are, when so many of all 100 pictures are."""

    generated_of_100: int
    right_of_100: str
    """In words: "at most 91", or that it was not measured."""
    unfavourable: str
    """The same with both rates at the unfavourable ends of their intervals."""


def worth(note: CalibrationNote | None) -> tuple[Worth, ...]:
    """The table, from what was measured of a calibration.

    A note knows how many generated pictures were called photographs, and not how many were left undecided. The numbers
    are therefore bounds from above: whatever was left undecided lowers them.
    """
    return tuple(_worth(share, note) for share in GENERATED_OF_100)


def _worth(share: int, note: CalibrationNote | None) -> Worth:
    if note is None:
        return Worth(share, NOT_MEASURED, NOT_MEASURED)
    likely = _right(share, 1 - note.miss_rate, note.false_positive_rate)
    worst = _right(share, 1 - note.miss_interval[1], note.false_positive_interval[1])
    return Worth(share, likely, worst)


def _right(share: int, found: float, false: float) -> str:
    """Bayes' rule, rounded down: the number is a bound from above, and no favour."""
    right, wrong = share * found, (100 - share) * false
    return f"at most {int(100 * right / (right + wrong))}" if right + wrong else NOT_MEASURED
