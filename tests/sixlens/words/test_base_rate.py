from __future__ import annotations

from typing import Any

from fusion.verdict import CalibrationNote
from sixlens.words.base_rate import NOT_MEASURED, worth


def note(**fields: Any) -> CalibrationNote:
    content: dict[str, Any] = {"name": "c", "data": "d", "n": 100, "prior": 0.5}
    rates = {"false_positive_rate": 0.1, "false_positive_interval": (0.05, 0.2)}
    misses = {"miss_rate": 0.1, "miss_interval": (0.05, 0.2)}
    found = {"found_rate": 0.6, "found_interval": (0.5, 0.7)}
    return CalibrationNote(**{**content, **rates, **misses, **found, **fields})


def test_bayes_rule_at_three_base_rates_leaves_the_undecided_out() -> None:
    assert [row.generated_of_100 for row in worth(note())] == [1, 10, 50]
    assert [row.right_of_100 for row in worth(note())] == ["about 5", "about 40", "about 85"]
    assert [row.unfavourable for row in worth(note())] == ["at least 2", "at least 21", "at least 71"]


def test_what_was_not_measured_is_said_to_be_so() -> None:
    assert {cell for row in worth(None) for cell in row[1:]} == {NOT_MEASURED}
    rates = {"false_positive_rate": 0.0, "false_positive_interval": (0.0, 0.2)}
    silent = note(**rates, found_rate=0.0, found_interval=(0.0, 0.1))
    assert {cell for row in worth(silent) for cell in row[1:]} == {NOT_MEASURED}
