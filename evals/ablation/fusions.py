"""The same votes under every strategy that needs no model, beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from evals.calibrate.rivals import right
from evals.calibrate.words import of_100
from evals.judgment import Judgment
from evals.metrics.arrays import Bools, Floats, Ints
from evals.refuse import Refusion, refuse_all
from fusion.decision import Rules
from fusion.strategies import FITTED
from paradigms.label import Label

_CALLS = {Label.GENERATED: 1, Label.REAL: 0}


class Fused(BaseModel):
    """One strategy. All shares are of all cases that it could be tried on, undecided ones included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: str
    how: str = ""
    """How it was done, in words."""
    because: str | None = None
    """Why it could not be; then there are no numbers."""
    n: int = 0
    accuracy: float | None = None
    """Of the side that votes or chance lean to, for every case; where they lean to neither, half is right."""
    decided: float | None = None
    right_of_decided: float | None = None
    false_positive_rate: float | None = None
    """Photographs called generated, of all photographs."""


def all_fusions(judgments: Sequence[Judgment], rules: Rules, *, seed: int = 0) -> tuple[Fused, ...]:
    """Every strategy on the labelled judgments of one arm; those that cannot be done offline with their reason."""
    return tuple(_fused(found) for found in refuse_all(judgments, rules, seed=seed))


def fusion_lines(fusions: Sequence[Fused]) -> Iterator[str]:
    """The strategies in words, the false-positive rate first."""
    for it in fusions:
        if it.because is not None:
            continue
        true = "" if it.right_of_decided is None else f", {of_100(it.right_of_decided)} of 100 of those right"
        odds = " with even odds before the votes" if it.strategy in FITTED else ""
        yield (
            f"Fused by {it.strategy} ({it.how}): {of_100(it.false_positive_rate)} of 100 photographs called "
            f"generated; {of_100(it.decided)} of 100 cases decided{true}; leaning to the right side{odds} in "
            f"{of_100(it.accuracy)}."
        )
    missing = "; ".join(f"{it.strategy}: {it.because.removesuffix('.')}" for it in fusions if it.because is not None)
    if missing:
        yield f"Not known offline: {missing}."


def _fused(found: Refusion) -> Fused:
    if found.because is not None:
        return Fused(strategy=found.strategy, because=found.because)
    truth: Bools = np.array([it.truth is Label.GENERATED for it in found.judgments], dtype=bool)
    calls: Ints = np.array([-1 if it.label is None else _CALLS.get(it.label, -1) for it in found.judgments])
    leans = np.array([_lean(it) for it in found.judgments])
    decided = calls >= 0
    return Fused(
        strategy=found.strategy,
        how=found.how,
        n=len(calls),
        accuracy=_share(right(leans, truth)),
        decided=_share(decided),
        right_of_decided=_share((calls == truth)[decided]),
        false_positive_rate=_share(calls[~truth] == 1),
    )


def _lean(judgment: Judgment) -> float:
    """Above 0 for generated: by the chance where a fit gives one, else by the votes."""
    return judgment.score or 0.0 if judgment.p_generated is None else judgment.p_generated - 0.5


def _share(values: Floats | Bools) -> float | None:
    return float(values.mean()) if len(values) else None
