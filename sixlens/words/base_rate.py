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
    """In words: "about 91", or that it was not measured."""
    unfavourable: str
    """The same with both rates at the unfavourable ends of their intervals."""


def worth(note: CalibrationNote | None) -> tuple[Worth, ...]:
    """The table, from what was measured of a calibration."""
    return tuple(_worth(share, note) for share in GENERATED_OF_100)


def _worth(share: int, note: CalibrationNote | None) -> Worth:
    if note is None:
        return Worth(share, NOT_MEASURED, NOT_MEASURED)
    likely = _right(share, note.found_rate, note.false_positive_rate)
    worst = _right(share, note.found_interval[0], note.false_positive_interval[1])
    return Worth(
        share,
        NOT_MEASURED if likely is None else f"about {likely}",
        NOT_MEASURED if likely is None or worst is None else f"at least {worst}",
    )


def _right(share: int, found: float, false: float) -> int | None:
    """Bayes' rule, rounded down; None when nothing was called generated."""
    right, wrong = share * found, (100 - share) * false
    return int(100 * right / (right + wrong)) if right + wrong else None
