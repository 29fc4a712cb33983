"""What each paradigm contributes: alone, in every subset, and beside the others."""

from __future__ import annotations

import math
from collections.abc import Iterator

from evals.ablation.ablate import GAMES, Ablation
from evals.ablation.subsets import Subset
from evals.report.charts import bar_chart
from evals.report.material import Material
from evals.report.section import Section
from evals.report.table import Cell, Column, Figure, Table

_SHARE = "{:.3f}"
_MOST_BARS = 20


def contributions(material: Material) -> Section:
    """Subsets, Shapley values and agreement, always beside the best single paradigm."""
    found = material.ablation
    title = "What each paradigm contributes"
    if isinstance(found, str):
        return Section("ablation", title, (f"Not known: {found}",))
    words = (
        f"Of the arm {found.arm}, counted anew from the votes of {found.n_generated + found.n_real:,} labelled cases "
        f"({found.n_real:,} real, {found.n_generated:,} generated), without new calls. Held out: {found.scheme}.",
        *found.words,
    )
    singles = [(each.voters[0], each.accuracy) for each in found.subsets if len(each.voters) == 1]
    rows = sorted(found.shapley["accuracy"].items(), key=lambda row: -row[1])
    areas = sorted(found.shapley["auc"].items(), key=lambda row: -row[1])
    best = _best(found)
    charts = (
        bar_chart("shapley-accuracy", "Shapley values for accuracy", rows, "points"),
        bar_chart("shapley-auc", "Shapley values for AUC", areas, "hundredths"),
        bar_chart(
            "ablation",
            "Accuracy above a coin's: each paradigm alone, and the best subset of each size",
            [
                *((f"{name} alone", accuracy - found.worth_of_nobody) for name, accuracy in singles),
                *(
                    (f"best {len(each.voters)}: {' + '.join(each.voters)}", each.accuracy - found.worth_of_nobody)
                    for each in best
                    if len(each.voters) > 1
                ),
            ][:_MOST_BARS],
            "points",
        ),
    )
    return Section("ablation", title, words, (), (_voters(found), _subsets(found), _pairs(found)), charts)


def _best(found: Ablation) -> list[Subset]:
    """The most accurate subset of each size."""
    sizes: dict[int, Subset] = {}
    for each in found.subsets:
        size = len(each.voters)
        if size and (size not in sizes or each.accuracy > sizes[size].accuracy):
            sizes[size] = each
    return [sizes[size] for size in sorted(sizes)]


def _voters(found: Ablation) -> Table:
    alone = {each.voters[0]: each for each in found.subsets if len(each.voters) == 1}
    rows: list[tuple[Cell, ...]] = [
        (
            name,
            Figure(alone[name].accuracy, _SHARE),
            Figure(alone[name].auc, _SHARE),
            Figure(found.shapley["accuracy"][name], "{:+.3f}"),
            Figure(found.shapley["balanced_accuracy"][name], "{:+.3f}"),
            Figure(found.shapley["auc"][name], "{:+.3f}"),
        )
        for name in found.voters
    ]
    everybody = next(each for each in found.subsets if len(each.voters) == len(found.voters))
    sums = (Figure(math.fsum(found.shapley[game].values()), "{:+.3f}") for game in GAMES)
    rows.append(("all of them", Figure(everybody.accuracy, _SHARE), Figure(everybody.auc, _SHARE), *sums))
    best = found.best_single
    notes = (
        f"Best single paradigm or score: {best.in_hindsight:.3f} accuracy ({best.voters[0]}, chosen in hindsight), "
        f"{best.held_out:.3f} when chosen on other cases.",
        f"The Shapley values of a column sum to the worth of all less {found.worth_of_nobody:g}, a coin's. Accuracy "
        "is of the majority for every case, a tie counting half.",
    )
    return Table(
        "shapley",
        f"Paradigms of {found.arm}: alone, and their Shapley values",
        (
            Column("paradigm", "Paradigm"),
            Column("accuracy_alone", "Accuracy alone"),
            Column("auc_alone", "AUC alone"),
            Column("shapley_accuracy", "Shapley, accuracy"),
            Column("shapley_balanced_accuracy", "Shapley, balanced accuracy"),
            Column("shapley_auc", "Shapley, AUC"),
        ),
        tuple(rows),
        notes,
    )


def _subsets(found: Ablation) -> Table:
    ordered = sorted((each for each in found.subsets if each.voters), key=lambda each: -each.accuracy)
    return Table(
        "ablation",
        f"Every subset of the paradigms of {found.arm}, the most accurate first",
        (
            Column("paradigms", "Paradigms"),
            Column("size", "How many"),
            Column("accuracy", "Accuracy"),
            Column("balanced_accuracy", "Balanced accuracy"),
            Column("auc", "AUC"),
            Column("quorum", "Quorum"),
            Column("false_positive_rate", "Real called generated"),
            Column("miss_rate", "Generated called real"),
            Column("decided", "Decided"),
            Column("right_of_decided", "Right, of the decided"),
        ),
        tuple(tuple(_subset(each)) for each in ordered),
        ("Accuracy and AUC are of the majority; from the quorum on, of the counted vote with that quorum.",),
    )


def _subset(each: Subset) -> Iterator[Cell]:
    yield from (" + ".join(each.voters), len(each.voters))
    yield from (Figure(value, _SHARE) for value in (each.accuracy, each.balanced_accuracy, each.auc))
    yield each.quorum
    yield from (Figure(value, _SHARE) for value in (each.false_positive_rate, each.miss_rate, each.decided))
    yield Figure(each.right_of_decided, _SHARE, "nothing is decided")


def _pairs(found: Ablation) -> Table:
    return Table(
        "agreement",
        f"How far two paradigms of {found.arm} are one",
        (
            Column("one", "One"),
            Column("other", "Other"),
            Column("n", "Cases with both votes"),
            Column("agreement", "Same vote"),
            Column("kappa", "Kappa"),
            Column("error_correlation", "Correlation of errors"),
            Column("double_fault", "Both wrong"),
        ),
        tuple(
            (
                pair.one,
                pair.other,
                pair.n,
                Figure(pair.agreement, _SHARE, "there is no case in which both voted"),
                Figure(pair.kappa, _SHARE, "chance alone would always agree, or there is no case"),
                Figure(pair.error_correlation, _SHARE, "one of the two is always right or always wrong"),
                Figure(pair.double_fault, _SHARE, "there is no case in which both voted"),
            )
            for pair in found.pairs
        ),
    )
