"""What judgments took, how examinations ended, and what files declared of themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from evals.metrics.expense import Spread
from evals.report.material import Material, main_of, named
from evals.report.quality import NO_CASE, ONE_SIDE
from evals.report.section import Section
from evals.report.table import Cell, Column, Figure, Share, Table
from paradigms.label import Label

_QUANTITIES = {
    "cost": ("US dollars", "{:,.4f}"),
    "calls": ("Calls", "{:,.1f}"),
    "attempts": ("Attempts", "{:,.1f}"),
    "cache_hits": ("Answers out of the cache", "{:,.1f}"),
    "input_tokens": ("Tokens in", "{:,.0f}"),
    "cached_tokens": ("of them out of the provider's cache", "{:,.0f}"),
    "output_tokens": ("Tokens out", "{:,.0f}"),
    "seconds": ("Seconds", "{:,.2f}"),
}


def expense(material: Material) -> Section:
    """Money, calls, tokens and seconds; what is unknown is never 0."""
    table = Table(
        "expense",
        "What judgments took",
        (
            Column("arm", "Arm"),
            Column("quantity", "Quantity"),
            Column("per_verdict", "A verdict"),
            Column("total", "In all"),
            Column("median", "Median"),
            Column("p95", "95 of 100 below"),
            Column("known", "Judgments known"),
            Column("unknown", "Not known"),
        ),
        tuple(
            row
            for summary in material.main
            for key in _QUANTITIES
            for row in _spread(named(summary), key, getattr(summary.expense, key))
        ),
        ("A verdict's share is the total over the verdicts, so that errors are paid for too.",),
    )
    return Section("expense", "What it took", (), (), (table,))


def _spread(arm: str, key: str, spread: Spread) -> Iterator[tuple[Cell, ...]]:
    title, form = _QUANTITIES[key]
    none = "nobody said" if key != "cost" else "no price is known, or none was asked for"
    some = f"{none} for some judgments" if spread.known else none
    yield (
        arm,
        title,
        Figure(spread.per_verdict, form, some if spread.unknown else "there is no verdict"),
        *(Figure(value, form, none) for value in (spread.total, spread.median, spread.p95)),
        spread.known,
        spread.unknown,
    )


def outcomes(material: Material) -> Section | None:
    """How each paradigm's examinations ended; None when no paradigm is known."""
    rows = tuple(
        (
            named(summary),
            each.paradigm,
            each.answered,
            each.hedged,
            each.refused,
            each.unparsed,
            each.failed,
            each.skipped,
            each.absent,
        )
        for summary in material.main
        for each in summary.coverage.paradigms
    )
    if not rows:
        return None
    titles = ("Arm", "Paradigm", "Answered", "Hedged", "Refused", "Unparsed", "Failed", "Skipped", "Absent")
    table = Table(
        "paradigms",
        "How examinations ended, by paradigm",
        tuple(Column(title.lower(), title) for title in titles),
        rows,
        ("Only answered ones say generated or real. A hedge is an answer that leans to neither side.",),
    )
    return Section("paradigms", "Examinations", (), (), (table,))


def provenance(material: Material) -> Section | None:
    """What files declared, apart; None where it was left out of the judgments."""
    if not material.declares:
        return None
    words = (
        "What files declare of themselves was let into these judgments. Generated files often carry their label in "
        "their metadata, so all numbers above are partly of reading it, not of looking at pictures.",
        *(
            ()
            if material.undeclared
            else ("No judgment rests on a declaration, so leaving those out would change nothing.",)
        ),
    )
    tables = (_bases(material), *_undeclared(material))
    return Section("provenance", "What files declare, apart", words, (), tables)


def _bases(material: Material) -> Table:
    counts: Counter[tuple[str, str]] = Counter()
    right: Counter[tuple[str, str, Label]] = Counter()
    for judgment in material.run.judgments:
        basis = judgment.basis.value if judgment.basis else "no verdict"
        counts[judgment.arm, basis] += 1
        if judgment.label is Label.GENERATED and judgment.truth is not None:
            right[judgment.arm, basis, judgment.truth] += 1
    return Table(
        "provenance",
        "What labels rest on, under all perturbations",
        (
            Column("arm", "Arm"),
            Column("basis", "Basis"),
            Column("judgments", "Judgments"),
            Column("generated_called_generated", "Generated pictures called generated"),
            Column("real_called_generated", "Real photographs called generated"),
        ),
        tuple(
            (arm, basis.replace("_", " "), n, right[arm, basis, Label.GENERATED], right[arm, basis, Label.REAL])
            for (arm, basis), n in sorted(counts.items())
        ),
    )


def _undeclared(material: Material) -> Iterator[Table]:
    if material.undeclared is None:
        return
    yield Table(
        "without_declared",
        "Without the judgments that rest on a declaration, on answered cases only",
        (
            Column("arm", "Arm"),
            Column("judgments", "Judgments"),
            Column("false_positive_rate", "Real called generated"),
            Column("miss_rate", "Generated called real"),
            Column("accuracy", "Accuracy"),
            Column("balanced_accuracy", "Balanced accuracy"),
        ),
        tuple(
            (
                named(summary),
                summary.judgments,
                Share(summary.answered.false_positive_rate, "no real photograph counts for it"),
                Share(summary.answered.miss_rate, "no generated picture counts for it"),
                Share(summary.answered.accuracy, NO_CASE),
                Share(summary.answered.balanced_accuracy, ONE_SIDE),
            )
            for summary in main_of(material.undeclared)
        ),
    )
