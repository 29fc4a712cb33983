"""Curves of each arm: reliability, ROC, precision and recall, risk and coverage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from evals.metrics import Summary
from evals.report.charts import Frame, Series, line_chart
from evals.report.material import Material, named
from evals.report.section import Section
from evals.report.svg import STYLES, Axis, fitting

Points = tuple[tuple[float, float | None], ...]


def curves(material: Material) -> Section:
    """All curves; one that cannot be drawn is said in words."""
    summaries = material.main[:STYLES]
    words = []
    charts = []
    for frame, points, reason in _kinds(summaries):
        series = [
            Series(named(summary), found, style)
            for style, summary in enumerate(summaries)
            if (found := points(summary))
        ]
        if series:
            charts.append(line_chart(frame, series))
        else:
            words.append(f"{frame.title}: not known, since {reason}.")
    if len(material.main) > STYLES:
        words.append(f"The first {STYLES} of {len(material.main)} arms are drawn; summary.json has all curves.")
    return Section("curves", "Curves", tuple(words), (), (), tuple(charts))


def _kinds(summaries: Sequence[Summary]) -> Iterator[tuple[Frame, Callable[[Summary], Points], str]]:
    both = "it takes labelled cases of both sides with a number to rank by"
    yield (
        Frame("roc", "ROC", Axis("Real called generated"), Axis("Generated called generated"), diagonal=True),
        _roc,
        both,
    )
    precise = Frame("precision-recall", "Precision and recall", Axis("Recall"), Axis("Precision"), steps=True)
    yield precise, _precision, both
    yield (
        Frame(
            "reliability",
            "Reliability of p_generated",
            Axis("Mean p_generated"),
            Axis("Share that is generated"),
            diagonal=True,
        ),
        _reliability,
        "no calibration gives a p_generated",
    )
    risks = (point.risk for summary in summaries for point in summary.curves.risk_coverage)
    errors = fitting("Share of errors", risks)
    yield (
        Frame("risk-coverage", "Risk and coverage", Axis("Share of cases answered"), errors),
        _risk,
        "no labelled case has a number to rank by",
    )


def _roc(summary: Summary) -> Points:
    return tuple((point.false_positive_rate, point.true_positive_rate) for point in summary.curves.roc)


def _precision(summary: Summary) -> Points:
    return tuple((point.recall, point.precision) for point in summary.curves.precision_recall)


def _reliability(summary: Summary) -> Points:
    return tuple((point.mean_p_generated, point.share_generated) for point in summary.curves.reliability)


def _risk(summary: Summary) -> Points:
    return tuple((point.coverage, point.risk) for point in summary.curves.risk_coverage)
