"""`ablate`: subsets, Shapley values and agreement of the voters of one arm, beside the best of them alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from backends.errors import InputError, UnknownNameError
from evals.ablation.agreement import Pair, pairs
from evals.ablation.fusions import Fused, all_fusions, fusion_lines
from evals.ablation.shapley import shapley
from evals.ablation.subsets import COIN, Subset, all_subsets, rightness
from evals.calibrate.rivals import MARGIN, singles
from evals.calibrate.words import AUC_MEANS, of_100
from evals.folds import FEWEST, Folds, in_domain
from evals.judgment import Judgment
from evals.metrics.arrays import Floats
from evals.vote_table import GENERATED, REAL, VoteTable, one_each
from fusion.decision import Rules
from paradigms.label import Label

MOST = 10
"""Voters of whom every subset is tried: 1,024 subsets."""
Game = Literal["accuracy", "balanced_accuracy", "auc"]
GAMES: tuple[Game, ...] = ("accuracy", "balanced_accuracy", "auc")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(_Record):
    """The most accurate of several, chosen in two ways."""

    voters: tuple[str, ...]
    """Chosen in hindsight, on all cases."""
    in_hindsight: float
    """Their accuracy on the same cases: optimistic."""
    held_out: float
    """The accuracy of what was most accurate on the other cases, fold by fold."""


class Ablation(_Record):
    """What the voters of one arm contribute."""

    kind: Literal["ablation"] = "ablation"
    arm: str
    n_generated: int
    n_real: int
    voters: tuple[str, ...]
    """Those whose subsets were tried: with eyes, for scores do not vote."""
    worth_of_nobody: float = COIN
    """In every game: a coin."""
    subsets: tuple[Subset, ...]
    shapley: dict[Game, dict[str, float]]
    """By game, then voter. Each game's values sum to the worth of all voters less that of nobody."""
    pairs: tuple[Pair, ...]
    best_single: Choice
    """Scores stand beside the voters here, each with a threshold fitted on the cases that it is chosen on."""
    best_subset: Choice
    everybody: float
    """Accuracy of the majority of all voters."""
    fusions: tuple[Fused, ...]
    """The votes of everybody, scores too, under every strategy; those that ask a model say so."""
    scheme: str
    """How cases were held out."""
    words: tuple[str, ...]


def ablate(
    judgments: Iterable[Judgment],
    rules: Rules,
    *,
    voters: Sequence[str] | None = None,
    labels: Mapping[str, Label] | None = None,
    seed: int = 0,
) -> Ablation:
    """Take the voters of one arm apart.

    Args:
        judgments: of one arm and one perturbation; of repeats, the first counts.
        rules: the ensemble's; its quorum is scaled to the size of each subset.
        voters: only these; None for all with eyes, of more than `MOST` those that voted most often.
        labels: what people decided, by case or SHA-256; it counts above the data set's truth.
        seed: of the folds.

    Raises:
        InputError: there are too few cases, or more than `MOST` voters are named.
        UnknownNameError: a voter is named that has never answered.
    """
    chosen = one_each(judgments, labels)
    whole = VoteTable.of(chosen)
    table = _table(whole, voters)
    generated, real = table.classes
    subsets = all_subsets(table, rules)
    folds = in_domain(table, seed)
    names, correct = rightness(table)
    best_single = _best_single(table if voters else whole, folds)
    best_subset = _choose(names, correct, folds)
    values = {
        game: shapley(table.voters, {frozenset(it.voters): getattr(it, game) for it in subsets}) for game in GAMES
    }
    everybody = float(correct[:, -1].mean())
    fusions = all_fusions(chosen, rules, seed=seed)
    return Ablation(
        arm=chosen[0].arm,
        n_generated=generated,
        n_real=real,
        voters=table.voters,
        subsets=subsets,
        shapley=values,
        pairs=pairs(table),
        best_single=best_single,
        best_subset=best_subset,
        everybody=everybody,
        fusions=fusions,
        scheme=folds.scheme,
        words=(
            *_left_out(whole, table, voters),
            *_words(everybody, best_single, best_subset, values["accuracy"]),
            *fusion_lines(fusions),
        ),
    )


def _table(table: VoteTable, voters: Sequence[str] | None) -> VoteTable:
    """The part of the table whose subsets are tried."""
    for name in voters or ():
        if name not in table.with_eyes:
            raise UnknownNameError("voter", name, table.with_eyes)
    table = table.only(tuple(dict.fromkeys(voters)) if voters else _busiest(table))
    if not table.voters:
        raise InputError("There are no votes to analyse: only scores were given.")
    if len(table.voters) > MOST:
        raise InputError(f"All subsets are tried of {MOST} voters at most; {len(table.voters)} are named.")
    if min(table.classes) < FEWEST:
        generated, real = table.classes
        raise InputError(
            f"It takes at least {FEWEST} labelled cases with votes of each class; here are {generated} generated and "
            f"{real} real."
        )
    return table


def _busiest(table: VoteTable) -> tuple[str, ...]:
    """The voters with eyes; of more than `MOST` those that voted most often, in the table's order."""
    cast = dict(zip(table.voters, np.isin(table.said, (GENERATED, REAL)).sum(axis=0), strict=True))
    most = sorted(table.with_eyes, key=lambda name: -cast[name])[:MOST]
    return tuple(name for name in table.with_eyes if name in most)


def _left_out(whole: VoteTable, table: VoteTable, voters: Sequence[str] | None) -> Iterator[str]:
    """Says so when not everybody is taken apart, though nobody was named."""
    if not voters and len(table.voters) < len(whole.with_eyes):
        yield f"Of {len(whole.with_eyes)} voters only the {MOST} that voted most often are taken apart."


def _best_single(table: VoteTable, folds: Folds) -> Choice:
    """The most accurate alone; a score calls generated what lies above a threshold that is fitted on the same cases."""
    every = np.arange(len(table))
    alone = singles(table, every, every).mean(axis=0)
    best = int(np.argmax(alone))
    held = [
        singles(table, train, out)[:, int(np.argmax(singles(table, train, train).mean(axis=0)))]
        for train, out in folds.splits
    ]
    return Choice(
        voters=(table.voters[best],), in_hindsight=float(alone[best]), held_out=float(np.concatenate(held).mean())
    )


def _choose(names: Sequence[tuple[str, ...]], correct: Floats, folds: Folds) -> Choice:
    """The most accurate; of equals the first, which is the smallest."""
    best = int(np.argmax(correct.mean(axis=0)))
    held: list[Floats] = []
    for train, out in folds.splits:
        held.append(correct[out, int(np.argmax(correct[train].mean(axis=0)))])
    return Choice(
        voters=names[best], in_hindsight=float(correct[:, best].mean()), held_out=float(np.concatenate(held).mean())
    )


def _words(everybody: float, single: Choice, subset: Choice, values: Mapping[str, float]) -> Iterator[str]:
    """The outcome in words, always beside the best single voter."""
    yield (
        f"The majority of all voters is right in {of_100(everybody)} of 100 cases; the best single voter in "
        f"{of_100(single.held_out)} (chosen on other cases; in hindsight {single.voters[0]}, with "
        f"{of_100(single.in_hindsight)}); the best subset in {of_100(subset.held_out)} (in hindsight "
        f"{' + '.join(subset.voters)}, with {of_100(subset.in_hindsight)})."
    )
    if everybody < single.held_out - MARGIN:
        yield "The majority loses to the best single voter here, as where voters err together; a fit may recover it."
    ordered = sorted(values.items(), key=lambda item: -item[1])
    parts = ", ".join(f"{name} {100 * value:+.1f}" for name, value in ordered)
    yield f"Shapley values for accuracy, in cases of 100 above a coin's {of_100(COIN)}: {parts}."
    yield "A voter's Shapley value is what it adds on average, over all orders in which voters could join."
    yield AUC_MEANS
