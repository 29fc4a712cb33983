"""How the report begins: real photographs called generated, and what was done to find out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from evals.metrics import Summary
from evals.report.charts import interval_chart
from evals.report.material import Material, named
from evals.report.section import Section
from evals.report.table import PERCENT, Column, Figure, Share, Table

NO_REAL = "no real photograph with a label was decided"
NONE_REAL = "no case is labelled real"
MOST_IN_CHART = 30
"""Rows of a chart, at most; tables have all."""


def accusations(material: Material) -> Section:
    """The worst error, first of all."""
    summaries = material.main
    table = Table(
        "false_positives",
        "Real photographs called generated, by arm",
        (
            Column("arm", "Arm"),
            Column("of_decided", "Of the real photographs that were decided"),
            Column("of_all", "Of all real photographs"),
        ),
        tuple(
            (
                named(summary),
                Share(summary.false_positives.of_decided, NO_REAL),
                Share(summary.false_positives.of_all, NONE_REAL),
            )
            for summary in summaries
        ),
        tuple(
            f"Intervals, {note}." for note in dict.fromkeys(it.sampling.note for it in summaries if it.sampling.note)
        ),
    )
    sources = _sources(summaries)
    tables = (table, sources) if sources.rows else (table,)
    rows = [(named(summary), summary.false_positives.of_decided) for summary in summaries[:MOST_IN_CHART]]
    known = any(estimate.value is not None for _, estimate in rows)
    title = f"Real photographs called generated, of those decided, with {_level(summaries)} intervals"
    charts = (interval_chart("accusations", title, rows),) if known else ()
    return Section("false-positives", "Real photographs called generated", tuple(_words(material)), (), tables, charts)


def _words(material: Material) -> Iterator[str]:
    for summary in material.main[:MOST_IN_CHART]:
        estimate = summary.false_positives.of_decided
        if estimate.value is None:
            why = NO_REAL if summary.real else NONE_REAL
            yield f"{named(summary)}: how often real photographs are called generated is not known, since {why}."
        else:
            low, high = 100 * (estimate.low or 0.0), 100 * (estimate.high or 0.0)
            yield (
                f"{named(summary)}: {estimate.events:,} of {estimate.n:,} decided real photographs were called "
                f"generated, {100 * estimate.value:.1f}{PERCENT} ({_level(material.main)} interval {low:.1f} to "
                f"{high:.1f})."
            )
    yield (
        "A photograph called generated is the worst error, so it stands first. Numbers in brackets are "
        f"{_level(material.main)} intervals. Undecided pictures are no accusation; the second column counts them in."
    )


def _level(summaries: tuple[Summary, ...]) -> str:
    return f"{100 * summaries[0].level:g}{PERCENT}"


def _sources(summaries: tuple[Summary, ...]) -> Table:
    return Table(
        "false_positives_by_source",
        "Real photographs called generated, by source",
        (
            Column("arm", "Arm"),
            Column("source", "Source"),
            Column("n", "Real photographs"),
            Column("called_generated", "Called generated, of those decided"),
            Column("undecided", "Undecided"),
            Column("errors", "No verdict"),
        ),
        tuple(
            (
                named(summary),
                portion.name or "(no source given)",
                portion.n,
                Share(portion.called_generated, "none of that source was decided"),
                portion.undecided,
                portion.errors,
            )
            for summary in summaries
            for portion in summary.false_positives.by_source
        ),
        ("Each interval speaks of its source alone, its cases taken as independent.",),
    )


def background(material: Material) -> Section:
    """What was judged, by whom, and how much of it came to a label."""
    words = tuple(f"Warning about the data: {warning}" for warning in material.run.lines("warnings"))
    tables = [_counts(material), _reasons(material), _leaks(material)]
    if material.run.ensembles:
        tables.insert(0, _arms(material))
    return Section(
        "background",
        "What this is",
        words,
        tuple((term, text) for term, text in _facts(material) if text),
        tuple(table for table in tables if table.rows),
    )


def _facts(material: Material) -> Iterator[tuple[str, str]]:
    run = material.run
    experiment = run.experiment
    yield "Experiment", run.header.experiment
    yield "Begun", f"{run.header.created_at:%Y-%m-%d %H:%M} UTC"
    yield "Judgments", _progress(material)
    if experiment is None:
        yield "Configuration", "none was saved: other people's votes were imported, or the file is gone"
    else:
        yield "Description", experiment.description
        yield "Data", str(experiment.data.hf or experiment.data.path or "not known")
        yield "Layout", str(run.data.get("words") or run.data.get("layout") or "not known")
        yield "Notes on the data", " ".join(run.lines("notes"))
        yield "Perturbations", ", ".join(experiment.perturbations)
        yield "Repeats", str(experiment.repeats)
        yield "What files declare", f"provenance: {experiment.provenance.value}"
    first = material.summary.summaries[0]
    yield "Intervals", f"{100 * first.level:g} %; {first.resamples:,} bootstrap resamples, seed {first.seed}"


def _progress(material: Material) -> str:
    done, experiment = len(material.run.judgments), material.run.experiment
    cases = material.run.data.get("cases")
    if experiment is None or not isinstance(cases, int):
        return f"{done:,}"
    planned = cases * len(material.run.ensembles) * len(experiment.perturbations) * experiment.repeats
    missing = f"; the run is not finished, {planned - done:,} are missing" if done < planned else ""
    return f"{done:,} of {planned:,}{missing}"


def _arms(material: Material) -> Table:
    return Table(
        "arms",
        "Arms of the experiment",
        (
            Column("arm", "Arm"),
            Column("backend", "Backend"),
            Column("layout", "Layout"),
            Column("fusion", "Fusion"),
            Column("paradigms", "Paradigms"),
        ),
        tuple((name, *_ensemble(ensemble)) for name, ensemble in material.run.ensembles.items()),
    )


def _ensemble(ensemble: Mapping[str, Any]) -> tuple[str, str, str, str]:
    fusion, paradigms = ensemble.get("fusion"), ensemble.get("paradigms")
    return (
        str(ensemble.get("backend") or "none"),
        str(ensemble.get("layout") or "none"),
        str(fusion.get("strategy", "not known")) if isinstance(fusion, Mapping) else "not known",
        ", ".join(str(name) for name in paradigms) if isinstance(paradigms, Mapping | list) else "not known",
    )


def _counts(material: Material) -> Table:
    return Table(
        "coverage",
        "Judgments and how they ended",
        (
            Column("arm", "Arm"),
            Column("perturbation", "Perturbation"),
            Column("judgments", "Judgments"),
            Column("real", "Real"),
            Column("generated", "Generated"),
            Column("unlabelled", "No label"),
            Column("called_real", "Called real"),
            Column("called_generated", "Called generated"),
            Column("undecided", "Undecided"),
            Column("errors", "No verdict"),
            Column("decided", "Decided"),
        ),
        tuple(
            (
                summary.arm,
                summary.perturbation,
                summary.judgments,
                summary.real,
                summary.generated,
                summary.unlabelled,
                summary.coverage.real,
                summary.coverage.generated,
                summary.coverage.undecided,
                summary.coverage.errors,
                Share(summary.coverage.decided),
            )
            for summary in material.summary.summaries
        ),
        ("Real, generated and no label are what the data set says; called is what the arm said.",),
    )


def _reasons(material: Material) -> Table:
    rows: list[tuple[str | int, ...]] = []
    for summary in material.main:
        coverage = summary.coverage
        rows += [
            (named(summary), "undecided", reason.replace("_", " "), n)
            for reason, n in coverage.undecided_by_reason.items()
        ]
        rows += [(named(summary), "no verdict", kind, n) for kind, n in coverage.errors_by_kind.items()]
    return Table(
        "reasons",
        "Why there is no label",
        (Column("arm", "Arm"), Column("ended", "Ended"), Column("reason", "Reason"), Column("n", "Judgments")),
        tuple(rows),
    )


def _leaks(material: Material) -> Table:
    """What was found to tell the labels apart without looking, as it was saved with the run."""
    saved = material.run.data.get("leaks")
    found = [leak for leak in saved if isinstance(leak, Mapping)] if isinstance(saved, list) else []
    return Table(
        "leaks",
        "Properties of the files that tell the labels apart by themselves",
        (
            Column("feature", "Property"),
            Column("auc", "AUC"),
            Column("threshold", "By chance, at most"),
            Column("reencoded", "Of the files"),
        ),
        tuple(
            (
                str(leak.get("feature")),
                _saved(leak.get("auc")),
                _saved(leak.get("threshold")),
                "after re-encoding" if leak.get("reencoded") else "as they are",
            )
            for leak in found
        ),
        ("An arm that reads files could use these; a model is shown the delivered picture only.",),
    )


def _saved(value: object) -> Figure:
    return Figure(float(value) if isinstance(value, int | float) else None, "{:.2f}", "it was not saved")
