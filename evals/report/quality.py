"""How well each arm does: the three views, base rates, and arms against each other."""

from __future__ import annotations

from collections.abc import Iterator

from evals.metrics import Comparison, Summary, ViewName
from evals.report.material import Material, named
from evals.report.section import Section
from evals.report.table import Cell, Column, Figure, Number, Share, Table

VIEWS = {
    ViewName.ANSWERED: "on answered cases only",
    ViewName.UNANSWERED_AS_WRONG: "with unanswered cases as wrong",
    ViewName.FORCED: "with a forced label",
}
MEANING = {
    ViewName.ANSWERED: "Cases without a label are left out.",
    ViewName.UNANSWERED_AS_WRONG: (
        "Cases without a label count as wrong: an undecided or failed real photograph is a false positive here."
    ),
    ViewName.FORCED: (
        "An undecided case gets the side that its ranking number leans to, a tie the label real; one without such a "
        "number is left out."
    ),
}
ONE_SIDE = "it takes decided cases of both labels"
NO_CASE = "no case counts for it"
NO_RANK = "it takes labelled cases of both sides with a number to rank by"
NO_CHANCE = "no calibration gives a p_generated"


def results(material: Material) -> Section:
    """The three views of the labels, said apart, and what is measured of the ranking."""
    words = (
        "Cases without a label can be counted in three ways, and each has a table of its own. Generated is the "
        "positive label.",
    )
    tables = (*(_view(material.main, view) for view in ViewName), _ranking(material.main))
    return Section("results", "Results by arm", words, (), tables)


def _view(summaries: tuple[Summary, ...], view: ViewName) -> Table:
    return Table(
        f"scores_{view.value}",
        f"Scores {VIEWS[view]}",
        (
            Column("arm", "Arm"),
            Column("n", "Cases counted"),
            Column("left_out", "Left out"),
            Column("false_positive_rate", "Real called generated"),
            Column("miss_rate", "Generated called real"),
            Column("accuracy", "Accuracy"),
            Column("balanced_accuracy", "Balanced accuracy"),
            Column("macro_f1", "Macro-F1"),
        ),
        tuple((named(summary), *_scores(summary, view)) for summary in summaries),
        (MEANING[view],),
    )


def _scores(summary: Summary, view: ViewName) -> tuple[Cell, ...]:
    scores = summary.scores(view)
    return (
        scores.n,
        scores.left_out,
        Share(scores.false_positive_rate, "no real photograph counts for it"),
        Share(scores.miss_rate, "no generated picture counts for it"),
        Share(scores.accuracy, NO_CASE),
        Share(scores.balanced_accuracy, ONE_SIDE),
        Number(scores.macro_f1, ONE_SIDE),
    )


def _ranking(summaries: tuple[Summary, ...]) -> Table:
    return Table(
        "ranking",
        "Ranking and calibration",
        (
            Column("arm", "Arm"),
            Column("ranked_by", "Ranked by"),
            Column("auc", "AUC"),
            Column("average_precision", "Average precision"),
            Column("aurc", "Area under risk–coverage"),
            Column("ece", "ECE"),
            Column("brier", "Brier"),
        ),
        tuple(
            (
                named(summary),
                summary.ranked_by or "nothing",
                Number(summary.auc, NO_RANK),
                Number(summary.average_precision, NO_RANK),
                Number(summary.aurc, NO_RANK),
                Number(summary.ece, NO_CHANCE),
                Number(summary.brier, NO_CHANCE),
            )
            for summary in summaries
        ),
        (
            "AUC and average precision: higher is better, and the second depends on the share of generated pictures in "
            "the data. The others: lower is better.",
            "ECE stands without an interval: chance alone lifts it above 0, the more so the fewer cases there are.",
        ),
    )


def worth(material: Material) -> Section:
    """What a call of `generated` is worth, by how common generated pictures are."""
    summaries = material.main
    bases = tuple(each.base_rate for each in summaries[0].worth)
    columns = (Column(f"base_{100 * base:g}", f"{100 * base:g} of 100 are generated") for base in bases)
    rows = []
    for summary in summaries:
        cells: list[Cell] = [named(summary)]
        for each in summary.worth:
            low, high = each.low or 0.0, each.high or 0.0
            form = f"{{:.1f}} [{low:.1f}, {high:.1f}]"
            cells.append(Figure(each.right_of_100, form, "it takes labelled cases of both sides and a call"))
        rows.append(tuple(cells))
    table = Table(
        "base_rates",
        "Of 100 pictures called generated, so many would be right",
        (Column("arm", "Arm"), *columns),
        tuple(rows),
        (
            "By Bayes' rule from the shares of generated and real cases that were called generated, undecided and "
            "failed ones counted in.",
        ),
    )
    words = ("Where generated pictures are rare, even few false positives outweigh the true ones.",)
    return Section("base-rates", "What a call of generated is worth", words, (), (table,))


def comparison(material: Material) -> Section | None:
    """Arms against each other; None with one arm only."""
    found = material.comparisons
    if len(material.summary.arms) < 2:
        return None
    if isinstance(found, str):
        return Section("comparison", "Arms against each other", (found,))
    words = (
        "On the cases that both arms judged as they are; differences are second minus first. The p-values are "
        "McNemar's, for both being right equally often, and Holm's correction is over all pairs of a view.",
    )
    tables = (*(_pairs(found, place) for place in range(len(ViewName))), _areas(found))
    return Section("comparison", "Arms against each other", words, (), tables)


def _pairs(comparisons: tuple[Comparison, ...], place: int) -> Table:
    view = tuple(ViewName)[place]
    return Table(
        f"comparison_{view.value}",
        f"Differences between arms {VIEWS[view]}",
        (
            Column("first", "First arm"),
            Column("second", "Second arm"),
            Column("n", "Cases of both"),
            Column("false_positive_rate", "Real called generated"),
            Column("accuracy", "Accuracy"),
            Column("balanced_accuracy", "Balanced accuracy"),
            Column("only_first_right", "Only first right"),
            Column("only_second_right", "Only second right"),
            Column("p", "p"),
            Column("p_holm", "p, Holm"),
        ),
        tuple(row for each in comparisons for row in _pair(each, place)),
    )


def _pair(each: Comparison, place: int) -> Iterator[tuple[Cell, ...]]:
    contrast = each.contrasts[place]
    yield (
        each.first,
        each.second,
        contrast.n,
        Share(contrast.false_positive_rate, "no real photograph counts for both", signed=True),
        Share(contrast.accuracy, NO_CASE, signed=True),
        Share(contrast.balanced_accuracy, ONE_SIDE, signed=True),
        contrast.mcnemar.only_first_right,
        contrast.mcnemar.only_second_right,
        Figure(contrast.mcnemar.p_value, "{:.3f}", NO_CASE),
        Figure(contrast.p_holm, "{:.3f}", NO_CASE),
    )


def _areas(comparisons: tuple[Comparison, ...]) -> Table:
    return Table(
        "comparison_auc",
        "Differences in AUC",
        (Column("first", "First arm"), Column("second", "Second arm"), Column("auc", "AUC")),
        tuple((each.first, each.second, Number(each.auc, NO_RANK, signed=True)) for each in comparisons),
    )
