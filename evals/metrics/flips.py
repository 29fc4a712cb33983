"""Whether a change of the picture that means nothing changes what is said of it."""

from __future__ import annotations

from evals.metrics.columns import GENERATED, REAL, Columns, aligned
from evals.metrics.estimate import Estimate, Record
from evals.metrics.rate import LEVEL, rate
from evals.metrics.sample import Sample

BASELINE = "none"


class Flips(Record):
    """One perturbation beside `none`, on the cases and repeats that the arm has judged under both."""

    arm: str
    perturbation: str
    pairs: int
    """Judgments that there are of both."""
    flipped: Estimate
    """Of those decided under `none`: called the other side under the perturbation."""
    changed: Estimate
    """Of the same: anything else than before, undecided and errors included."""
    to_generated: int
    """Flips from real to generated."""
    to_real: int
    """Flips from generated to real."""


def flips(baseline: Columns, perturbed: Columns, level: float = LEVEL) -> Flips:
    """What the perturbation changes. Unlabelled cases count too: a flip needs no truth."""
    before, after = aligned(baseline, perturbed)
    sample = Sample.of(before)
    decided, changed = before.decided, before.called != after.called
    other = decided & after.decided & changed
    return Flips(
        arm=perturbed.arm,
        perturbation=perturbed.perturbation,
        pairs=len(before),
        flipped=rate(other, decided, sample, level),
        changed=rate(changed, decided, sample, level),
        to_generated=int((other & (after.called == GENERATED)).sum()),
        to_real=int((other & (after.called == REAL)).sum()),
    )
