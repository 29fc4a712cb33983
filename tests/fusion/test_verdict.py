from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from fusion.verdict import CalibrationNote, Coverage, ImageRecord, Spending, Verdict, Votes

from .conftest import provenance, reports

IMAGE = ImageRecord(path=None, name="bytes", sha256="0" * 64, format="PNG", width=8, height=8, frames=1, delivered=None)
CALIBRATION = CalibrationNote(
    name="c",
    data="d",
    n=9,
    prior=0.5,
    false_positive_rate=0,
    false_positive_interval=(0, 0.3),
    miss_rate=0,
    miss_interval=(0, 1),
    found_rate=0.5,
    found_interval=(0, 1),
)


def make(**fields: Any) -> Verdict:
    content: dict[str, Any] = {
        "id": "1",
        "created_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "config_sha256": "0" * 64,
        "ensemble": "six",
        "image": IMAGE,
        "label": "real",
        "basis": "seen",
        "headline": "h",
        "votes": Votes(real=4),
        "score": -1.0,
        "explanation": "e",
        "reports": reports("rrrr"),
        "provenance": provenance(),
        "coverage": Coverage(total=4, answered=4, refused=0, unparsed=0, failed=0, skipped=0),
        "usage": Spending(),
        "versions": {"sixlens": "0"},
    }
    return Verdict.model_validate({**content, **fields})


def test_a_verdict_goes_through_json_unchanged() -> None:
    verdict = make()
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
    assert verdict.schema_version == "1"
    assert '"created_at":"2026-01-02T03:04:05Z"' in verdict.model_dump_json()


@pytest.mark.parametrize(
    "fields",
    [
        {"label": "undecided"},
        {"undecided_because": "weak"},
        {"label": "fake"},
        {"p_generated": 0.2},
        {"calibration": CALIBRATION},
        {"score": None},
        {"votes": Votes()},
        {"score": -1.5},
        {"created_at": datetime(2026, 1, 2)},
        {"schema_version": "2"},
        {"colour": "red"},
    ],
)
def test_what_does_not_fit_together_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make(**fields)


def test_a_calibrated_chance_names_its_calibration() -> None:
    assert make(p_generated=0.2, calibration=CALIBRATION).p_generated == 0.2


def test_votes_and_hedges_are_told_apart() -> None:
    votes = Votes(generated=2, real=1, undecided=3)
    assert (votes.cast, votes.answered) == (3, 6)


def test_coverage_adds_up() -> None:
    with pytest.raises(ValidationError, match="add up"):
        Coverage(total=5, answered=4, refused=0, unparsed=0, failed=0, skipped=0)


def test_every_word_of_the_schema_has_a_meaning_in_it() -> None:
    properties = Verdict.model_json_schema()["properties"]
    wanted = "schema_version id created_at config_sha256 image label undecided_because basis votes score p_generated"
    assert set(wanted.split()) <= set(properties)
