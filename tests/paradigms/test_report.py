from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from paradigms.evidence import Evidence
from paradigms.label import Cause, Label, Outcome
from paradigms.region import Region, RegionSource
from paradigms.report import Report

REGION = Region(x0=0.1, y0=0.1, x1=0.2, y1=0.2)


def make(**fields: Any) -> Report:
    content = {"paradigm": "direct", "title": "Direct", "question": "What?", "prompt_version": "1+0", **fields}
    return Report.model_validate(content)


@pytest.mark.parametrize(
    ("label", "backend", "eyes", "vote"),
    [
        (Label.GENERATED, "b", True, Label.GENERATED),
        (Label.REAL, "b", True, Label.REAL),
        (Label.UNDECIDED, "b", True, None),
        (Label.UNDECIDED, None, False, None),
        (Label.GENERATED, None, False, None),
    ],
)
def test_only_eyes_vote(label: Label, backend: str | None, eyes: bool, vote: Label | None) -> None:
    report = make(outcome=Outcome.ANSWERED, label=label, backend=backend)
    assert (report.has_eyes, report.vote) == (eyes, vote)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.ANSWERED])
def test_nothing_else_than_an_answer_carries_a_label(outcome: Outcome) -> None:
    cause = Cause.NO_EYES if outcome is Outcome.SKIPPED else None
    report = make(outcome=outcome, cause=cause, backend="b")
    assert (report.has_eyes, report.vote) == (False, None)
    for label in Label:
        with pytest.raises(ValidationError, match="carries a label"):
            make(outcome=outcome, cause=cause, backend="b", label=label)


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": "answered"},
        {"outcome": "skipped"},
        {"outcome": "failed", "cause": "no_eyes"},
        {"outcome": "answered", "label": "real", "p_generated": 0.2},
        {"outcome": "answered", "label": "real", "source": "stated"},
        {"outcome": "failed", "p_generated": 0.5, "source": "stated"},
        {"outcome": "answered", "label": "real", "p_generated": 1.1, "source": "stated"},
        {"outcome": "answered", "label": "real", "score": 1},
    ],
)
def test_what_does_not_fit_together_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"name": "x", "severity": 0},
        {"name": "x", "severity": 6},
        {"name": "x", "points_to": "undecided"},
        {"name": "x", "region": REGION},
        {"name": "x", "region_source": RegionSource.MODEL},
    ],
)
def test_evidence_is_checked(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Evidence(**fields)


@pytest.mark.parametrize(
    "edges", [(0.2, 0, 0.1, 1), (0, 0, 0, 1), (0, 0, 1, 1.1), (-0.1, 0, 1, 1), (float("nan"), 0, 1, 1)]
)
def test_a_region_is_a_box_inside_the_picture(edges: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValidationError):
        Region(**dict(zip(("x0", "y0", "x1", "y1"), edges, strict=True)))


def test_a_report_goes_through_json_unchanged() -> None:
    item = Evidence(name="x", severity=3, points_to="real", region=REGION, region_source=RegionSource.MEASURED)
    report = make(outcome="answered", label="real", backend="b", p_generated=0.2, source="stated", evidence=[item])
    assert Report.model_validate_json(report.model_dump_json()) == report
