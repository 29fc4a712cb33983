"""Drawing cases by a seed: balanced, in proportion, and whatever order the files came in."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from backends.errors import ConfigError
from evals.data.item import Item
from evals.data.spec import DataSpec
from paradigms.label import Label


def sample(items: Sequence[Item], spec: DataSpec) -> list[Item]:
    """The cases that are taken, in an order drawn by the seed.

    A case's rank depends on its name and the seed alone, so a data set that grows keeps most of its sample.

    Raises:
        ConfigError: a balanced sample is asked for and one of the labels is missing.
    """
    ranked = sorted(items, key=lambda item: (_rank(item, spec.seed), item.case))
    if spec.balanced:
        sides = [[item for item in ranked if item.truth is label] for label in (Label.GENERATED, Label.REAL)]
        if not all(sides):
            raise ConfigError("data.balanced needs generated and real cases, and one of the labels is missing.")
        each = min(len(side) for side in sides)
        each = min(each, spec.limit // 2) if spec.limit is not None else each
        if not each:
            raise ConfigError("data.balanced needs a limit of at least 2.")
        chosen = {item.case for side in sides for item in _stratified(side, each, spec.stratify_by)}
    else:
        chosen = {item.case for item in _stratified(ranked, spec.limit or len(ranked), spec.stratify_by)}
    return [item for item in ranked if item.case in chosen]


def _rank(item: Item, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{item.case}".encode()).digest()


def _stratified(ranked: list[Item], wanted: int, by: Sequence[str]) -> list[Item]:
    """The first of each stratum, as many as its share of all: whole numbers by the largest remainders."""
    if wanted >= len(ranked):
        return ranked
    if not by:
        return ranked[:wanted]
    strata: defaultdict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in ranked:
        strata[tuple(str(item.truth if name == "label" else getattr(item, name)) for name in by)].append(item)
    exact = {key: wanted * len(group) / len(ranked) for key, group in strata.items()}
    shares = {key: int(share) for key, share in exact.items()}
    short = sorted(strata, key=lambda key: (shares[key] - exact[key], key))
    for key in short[: wanted - sum(shares.values())]:
        shares[key] += 1
    return [item for key, group in strata.items() for item in group[: shares[key]]]
