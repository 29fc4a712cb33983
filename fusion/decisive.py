"""One severe, well-supported defect carries the case. For experiments: it accuses more readily than the vote."""

from __future__ import annotations

import dataclasses

from fusion.decision import Decision, Hearing
from fusion.vote import vote_with_panel
from paradigms.evidence import Evidence
from paradigms.label import Label
from paradigms.report import Report

DECISIVE = 5
"""The severity from which one sign may carry a case."""


async def decisive(reports: tuple[Report, ...], hearing: Hearing) -> Decision:
    """`generated` on one decisive sign that a second examination supports and none of equal weight contradicts.

    Otherwise the votes and the panel decide. After the observation that people need only one or two aspects
    (arXiv 2504.14245, section 1).
    """
    decision = await vote_with_panel(reports, hearing)
    accusers = [report for report in reports if report.vote is Label.GENERATED]
    carried = any(_decisive(item, "generated") for report in accusers for item in report.evidence)
    countered = any(_decisive(item, "real") for report in reports if report.has_eyes for item in report.evidence)
    if not carried or len(accusers) < 2 or countered or decision.label is Label.GENERATED:
        return decision
    warnings = (*decision.warnings, "One decisive sign carries the case; the votes alone would not.")
    return dataclasses.replace(decision, label=Label.GENERATED, undecided_because=None, warnings=warnings)


def _decisive(item: Evidence, side: str) -> bool:
    return item.points_to == side and (item.severity or 0) >= DECISIVE
