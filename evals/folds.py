"""Which cases are held out together when something is fitted and judged on the same data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold  # type: ignore[import-untyped]

from evals.metrics.arrays import Ints
from evals.metrics.sample import MIN_UNITS
from evals.vote_table import VoteTable

FOLDS = 5
FEWEST = 5
"""Cases of each class that are needed to fit on."""
MOST_SOURCES = 20
"""With more sources than this, several are held out together."""

Split = tuple[Ints, Ints]
"""Rows to fit on, and rows held out."""


@dataclass(frozen=True, slots=True)
class Folds:
    """Splits of the rows, and how they were made, in words."""

    splits: tuple[Split, ...]
    scheme: str


def in_domain(table: VoteTable, seed: int = 0, folds: int = FOLDS) -> Folds:
    """Stratified folds. Where both classes have sources enough, no source is on both sides of a split.

    With so few cases that too few of a class are left once a source is held out, cases are split without regard to
    their sources, and the words say so.
    """
    rows, truth = np.arange(len(table)), table.generated
    folds = min(folds, *table.classes)
    group = groups(table)
    fewest = min(len(np.unique(group[truth])), len(np.unique(group[~truth])))
    given, few = any(source is not None for source in table.source), ""
    if given and fewest >= folds:
        made = StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(rows, truth, group)
        splits = tuple((train, held) for train, held in made if _both(table, train))
        if splits:
            return Folds(splits, f"{folds} folds, stratified, no source on both sides")
        few = "; too few cases to hold whole sources out"
    made = StratifiedKFold(folds, shuffle=True, random_state=seed).split(rows, truth)
    return Folds(tuple(made), f"{folds} folds, stratified, cases taken as independent{few}")


def by_source(table: VoteTable) -> Folds | str:
    """Every source held out in turn, or why that cannot be done. Cases without a source are fitted on every time."""
    named = np.array([source is not None for source in table.source], dtype=bool)
    if not named.any():
        return "no sources are given"
    rows, group = np.flatnonzero(named), groups(table)
    sources = len(np.unique(group[rows]))
    if sources < 2:
        return "there is one source only"
    count = min(sources, MOST_SOURCES)
    splits: list[Split] = []
    for _, held in GroupKFold(count).split(rows, groups=group[rows]):
        train = np.setdiff1d(np.arange(len(table)), rows[held])
        if _both(table, train):
            splits.append((train, rows[held]))
    if not splits:
        return "without any one source, too few cases of a class are left"
    each = "each held out in turn" if count == sources else f"held out in {count} parts"
    lost = count - len(splits)
    left = f"; {lost} could not be, for too few cases of a class are left then" if lost else ""
    return Folds(tuple(splits), f"{sources} sources, {each}{left}")


def groups(table: VoteTable) -> Ints:
    """A number for each source; a case without one is a group by itself."""
    keys = [f"source {source}" if source is not None else f"case {row}" for row, source in enumerate(table.source)]
    return np.unique(np.array(keys), return_inverse=True)[1].astype(np.int64)


def units(table: VoteTable) -> Ints:
    """What intervals take as independent: a side's sources where there are at least `MIN_UNITS`, else its cases."""
    unit = groups(table)
    for side in (table.generated, ~table.generated):
        if len(np.unique(unit[side])) < MIN_UNITS:
            unit[side] = len(table) + np.flatnonzero(side)
    return unit


def _both(table: VoteTable, rows: Ints) -> bool:
    """Whether the rows have cases enough of both classes to fit on."""
    generated = int(table.generated[rows].sum())
    return min(generated, len(rows) - generated) >= FEWEST
