"""By generator, by perturbation and by repeat."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from evals.metrics import Portion, RepeatSummary, Robustness, Summary
from evals.metrics.estimate import Estimate
from evals.metrics.flips import BASELINE
from evals.metrics.repeats import Variation
from evals.report.charts import Frame, Series, interval_chart, line_chart
from evals.report.material import Material, named
from evals.report.opening import MOST_IN_CHART
from evals.report.quality import NO_CASE, NO_RANK, ONE_SIDE
from evals.report.section import Section
from evals.report.svg import STYLES, Axis, fitting
from evals.report.table import Cell, Column, Figure, Number, Share, Table
from orchestrator.perturbations import PERTURBATIONS

_NOT_COMPARED = "there is no judgment of the same pictures as they are"


def generators(material: Material) -> Section | None:
    """How each generator's pictures were called; None without any generated case."""
    if not any(summary.generators for summary in material.main):
        return None
    rows = []
    for summary in material.main:
        portions = (*summary.generators, *((summary.every_real,) if summary.every_real else ()))
        for portion in portions:
            real = portion is summary.every_real
            name = "real photographs" if real else portion.name or "(not named)"
            shares = Share(portion.called_generated, "none of them was decided"), Share(portion.of_all)
            rows.append((named(summary), name, portion.n, *_called(portion), *shares))
    table = Table(
        "generators",
        "How pictures were called, by generator",
        (
            Column("arm", "Arm"),
            Column("generator", "Generator"),
            Column("n", "Pictures"),
            Column("called_generated", "Called generated"),
            Column("called_real", "Called real"),
            Column("undecided", "Undecided"),
            Column("errors", "No verdict"),
            Column("share", "Called generated, of those decided"),
            Column("of_all", "Called generated, of all"),
        ),
        tuple(rows),
        (
            "For a generator the last columns are recall; for real photographs they are the share of false positives. "
            "Undecided pictures and those without a verdict count in the last one alone.",
        ),
    )
    return Section("generators", "By generator", (), (), (table,), tuple(_recall(material.main)))


def _called(portion: Portion) -> tuple[int, int, int, int]:
    return portion.generated, portion.real, portion.undecided, portion.errors


def _recall(summaries: Sequence[Summary]) -> Iterator[Markup]:
    for place, summary in enumerate(summaries[:STYLES]):
        rows = [(portion.name or "(not named)", portion.called_generated) for portion in summary.generators]
        if any(estimate.value is not None for _, estimate in rows):
            title = f"Recall by generator, of those decided: {named(summary)}"
            yield interval_chart(f"recall-{place}", title, rows[:MOST_IN_CHART])


def robustness(material: Material) -> Section | None:
    """What perturbations change; None when there is none."""
    rows = material.summary.robustness
    if all(row.perturbation == BASELINE for row in rows):
        return None
    table = Table(
        "robustness",
        "Scores under each perturbation, on answered cases only, and what flipped",
        (
            Column("arm", "Arm"),
            Column("perturbation", "Perturbation"),
            Column("n", "Judgments"),
            Column("false_positive_rate", "Real called generated"),
            Column("accuracy", "Accuracy"),
            Column("balanced_accuracy", "Balanced accuracy"),
            Column("auc", "AUC"),
            Column("decided", "Decided"),
            Column("flipped", "Flipped to the other side"),
            Column("changed", "Changed at all"),
            Column("to_generated", "Flipped to generated"),
            Column("to_real", "Flipped to real"),
        ),
        tuple(_robust(row) for row in rows),
        ("A flip is a picture that was decided as it is, and is called the other side when it is changed.",),
    )
    return Section("robustness", "Robustness", (), (), (table,), tuple(_robust_charts(rows)))


def _robust(row: Robustness) -> tuple[Cell, ...]:
    flips = row.flips
    none = Estimate(value=None, n=0)
    why = "nothing to compare with: the picture as it is" if row.perturbation == BASELINE else _NOT_COMPARED
    undecided = "none of the pictures was decided as it is" if flips else why
    return (
        row.arm,
        row.perturbation,
        row.n,
        Share(row.false_positive_rate, "no real photograph was decided"),
        Share(row.accuracy, NO_CASE),
        Share(row.balanced_accuracy, ONE_SIDE),
        Number(row.auc, NO_RANK),
        Share(row.decided),
        Share(flips.flipped if flips else none, undecided),
        Share(flips.changed if flips else none, undecided),
        Figure(flips.to_generated if flips else None, "{:,}", why),
        Figure(flips.to_real if flips else None, "{:,}", why),
    )


def _robust_charts(rows: Sequence[Robustness]) -> Iterator[Markup]:
    """Flips, accuracy and false positives over the perturbations; lines join the strengths of one kind."""
    present = {row.perturbation for row in rows}
    order = [name for name in (BASELINE, *PERTURBATIONS) if name in present]
    names = [*order, *sorted(present - set(order))]
    axis = Axis("", -0.5, len(names) - 0.5, tuple((float(place), name) for place, name in enumerate(names)))
    for key, (title, label) in _DRAWN.items():
        series = []
        for style, (arm, group) in enumerate(itertools.groupby(rows, key=lambda row: row.arm)):
            values = {row.perturbation: _value(row, key) for row in group}
            changed = any(value is not None for name, value in values.items() if name != BASELINE)
            if changed and style < STYLES:
                series.append(Series(arm, tuple(_parted(names, values)), style))
        known = [value for each in series for _, value in each.points if value is not None]
        if known:
            yield line_chart(Frame(f"robust-{key}", title, axis, fitting(label, known)), series)


_DRAWN = {
    "flips": ("Flipped to the other side, by perturbation", "Share flipped"),
    "accuracy": ("Accuracy by perturbation, on answered cases only", "Accuracy"),
    "false_positive_rate": ("Real photographs called generated, by perturbation", "Real called generated"),
}


def _value(row: Robustness, key: str) -> float | None:
    if key == "flips":
        return row.flips.flipped.value if row.flips else None
    estimate: Estimate = getattr(row, key)
    return estimate.value


def _parted(names: Sequence[str], values: dict[str, float | None]) -> Iterator[tuple[float, float | None]]:
    before = ""
    for place, name in enumerate(names):
        kind = name.split("_")[0]
        if before and kind != before:
            yield place - 0.5, None
        before = kind
        yield float(place), values.get(name)


def repeats(material: Material) -> Section | None:
    """How far answers vary when asked again; None without repeats."""
    found = material.summary.repeats
    if not found:
        return None
    table = Table(
        "repeats",
        "Scores over repeats, on answered cases only: mean and standard deviation",
        (
            Column("arm", "Arm"),
            Column("perturbation", "Perturbation"),
            Column("repeats", "Repeats"),
            *(
                Column(f"{key}{part}", f"{title}{words}")
                for key, title in _VARYING.items()
                for part, words in (("_mean", ", mean"), ("_deviation", ", deviation"))
            ),
            Column("unanimous", "Cases that ended alike every time"),
        ),
        tuple(tuple(_repeated(each)) for each in found),
    )
    return Section("repeats", "Repeats", (), (), (table,))


_VARYING = {
    "false_positive_rate": "Real called generated",
    "miss_rate": "Generated called real",
    "accuracy": "Accuracy",
    "auc": "AUC",
}


def _repeated(each: RepeatSummary) -> Iterator[Cell]:
    yield from (each.arm, each.perturbation, len(each.repeats))
    for key in _VARYING:
        variation: Variation = getattr(each, key)
        yield Figure(variation.mean, "{:.3f}", "it is defined in no repeat")
        yield Figure(variation.deviation, "{:.3f}", "it takes two repeats in which it is defined")
    yield Share(each.unanimous, "no case was judged twice")
