"""`calibrate`: from the votes of a run to a calibration file, with what held-out cases say of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from backends.errors import ConfigError, InputError
from evals.calibrate.fit import Fit, HeldOut, Recipe, fit, hold_out
from evals.calibrate.people import changes
from evals.calibrate.quality import base_rates, false_positives, found, misses, quality, supported
from evals.calibrate.rivals import Comparison, compare
from evals.calibrate.stages import StagesStudy, study_stages
from evals.calibrate.weights import FitOptions
from evals.calibrate.words import report_lines
from evals.folds import Folds, by_source, in_domain
from evals.judgment import Judgment
from evals.vote_table import VoteTable, one_each
from fusion.calibration import Calibration, Classes, FittedOn, FittedStrategy, Measured, Quality, Thresholds
from fusion.decision import Rules
from paradigms.label import Label

FEWEST = 20
"""Cases of each class that a calibration needs, inclusive."""


@dataclass(frozen=True, slots=True)
class CalibrateOptions:
    """How a calibration is made."""

    name: str = "calibration"
    data: str = "votes"
    """What it is fitted on, in words."""
    strategy: FittedStrategy = "log_odds"
    target_fpr: float = 0.01
    """Photographs that may be called generated."""
    target_miss: float = 0.05
    """Generated pictures that may be called real."""
    prior: float = 0.5
    """The share of generated pictures where it will be used."""
    minimum: int | None = None
    """Voters that must have spoken for a label, inclusive; None for half of them."""
    fit: FitOptions = field(default_factory=FitOptions)
    fitted_on: FittedOn = field(default_factory=FittedOn)
    stages: Sequence[Sequence[Sequence[str]]] = ()
    """Sets of stages to try besides those that are searched for."""
    seed: int = 0


class HeldOutCase(BaseModel):
    """What a fit on other cases makes of a case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    p_generated: float
    label: Label


class CalibrationResult(BaseModel):
    """A calibration, and what is to be said of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["calibration"] = "calibration"
    calibration: Calibration
    comparison: Comparison
    stages: StagesStudy | None
    """None when fewer than two voters have eyes."""
    held_out: dict[str, HeldOutCase]
    """By case; cases that no fold held out are not among them."""
    words: tuple[str, ...]
    """The report, a sentence a line."""

    @property
    def yaml(self) -> str:
        """The calibration file's text."""
        return self.calibration.to_yaml()


def calibrate(
    judgments: Iterable[Judgment],
    options: CalibrateOptions = CalibrateOptions(),
    *,
    rules: Rules,
    labels: Mapping[str, Label] | None = None,
) -> CalibrationResult:
    """Fit a calibration on the votes of one arm.

    Args:
        judgments: of one arm and one perturbation; of repeats, the first counts.
        options: what is fitted and how.
        rules: the ensemble's, which say when stopping early would have been possible.
        labels: what people decided, by case or SHA-256; it counts above the data set's truth.

    Raises:
        ConfigError: a rate or the prior is no share, or a strategy is to weigh chances that does not.
        InputError: there are too few cases of a class, or no chances to weigh; one line says what is needed.
    """
    _check(options)
    judgments = list(judgments)
    table = VoteTable.of(one_each(judgments, labels))
    _enough(table, options)
    recipe = Recipe(
        strategy=options.strategy,
        target_fpr=options.target_fpr,
        target_miss=options.target_miss,
        minimum=options.minimum or math.ceil(len(table.voters) / 2),
        options=options.fit,
        seed=options.seed,
    )
    final = fit(table, recipe)
    folds = in_domain(table, options.seed)
    held = hold_out(table, recipe, folds)
    calibration = _calibration(options, recipe, table, final, (folds, held))
    if labels:
        calibration = calibration.model_copy(update={"people": changes(table, judgments)})
    comparison = compare(table, folds, held)
    stages = study_stages(table, rules, calibration, options.stages) if len(table.with_eyes) > 1 else None
    return CalibrationResult(
        calibration=calibration,
        comparison=comparison,
        stages=stages,
        held_out=_by_case(table, held, options.prior),
        words=(*report_lines(calibration, comparison, stages), *_unweighed(table, options)),
    )


def _check(options: CalibrateOptions) -> None:
    shares = {"target_fpr": options.target_fpr, "target_miss": options.target_miss, "prior": options.prior}
    for name, share in shares.items():
        if not 0 < share < 1:
            raise ConfigError(f"{name} is a share between 0 and 1, both exclusive; got {share:g}.")
    if options.minimum is not None and options.minimum < 1:
        raise ConfigError("minimum is a number of voters, at least 1.")
    if options.fit.certainty and options.strategy != "stacked":
        raise ConfigError(f"{options.strategy} weighs labels alone; stated chances (--certainty) go with stacked.")


def _enough(table: VoteTable, options: CalibrateOptions) -> None:
    if options.fit.certainty and not table.states_chances:
        raise InputError("No vote of this run comes with a p_generated, so there is none to weigh (--certainty).")
    generated, real = table.classes
    if min(generated, real) < FEWEST:
        raise InputError(
            f"A calibration needs at least {FEWEST} labelled cases with votes of each class; here are {generated} "
            f"generated and {real} real."
        )


def _unweighed(table: VoteTable, options: CalibrateOptions) -> Iterator[str]:
    """Says so when something that votes come with is left out."""
    if table.states_chances and not options.fit.certainty:
        yield "Votes come with a p_generated, which is not weighed; `--strategy stacked --certainty` weighs it too."


def _calibration(
    options: CalibrateOptions, recipe: Recipe, table: VoteTable, final: Fit, inside: tuple[Folds, HeldOut]
) -> Calibration:
    generated, real = table.classes
    return Calibration(
        name=options.name,
        strategy=options.strategy,
        data=options.data,
        n=Classes(generated=generated, real=real),
        prior=options.prior,
        intercept=final.weights.intercept,
        members=final.weights.members(),
        thresholds=Thresholds(
            generated=_chance(final.generated, options.prior), real=_chance(final.real, options.prior)
        ),
        minimum=recipe.minimum,
        measured=_measured(options, recipe, table, inside),
        fitted_on=options.fitted_on,
    )


def _measured(options: CalibrateOptions, recipe: Recipe, table: VoteTable, inside: tuple[Folds, HeldOut]) -> Measured:
    folds, held = inside
    false, hits = false_positives(table, held), found(table, held)
    assert false is not None, "there are photographs among the cases"
    elsewhere, because = _elsewhere(table, recipe, options.prior)
    return Measured(
        scheme=folds.scheme,
        target_false_positive_rate=options.target_fpr,
        target_supported=supported(false, options.target_fpr),
        false_positives=false,
        misses=misses(table, held),
        found=hits,
        decided=round(float((held.calls[held.known] != 0).mean()), 6),
        in_domain=quality(table, held, options.prior),
        leave_one_source_out=elsewhere,
        leave_one_source_out_because=because,
        base_rates=base_rates(hits, false),
    )


def _elsewhere(table: VoteTable, recipe: Recipe, prior: float) -> tuple[Quality | None, str]:
    """The quality on sources that were not fitted on, and how it was found or why it was not."""
    folds = by_source(table)
    if isinstance(folds, str):
        return None, folds
    return quality(table, hold_out(table, recipe, folds), prior), folds.scheme


def _chance(margin: float, prior: float) -> float:
    """The chance of a margin at the prior, with as many digits as it takes to keep it off 0 and 1."""
    chance = 1 / (1 + math.exp(-margin) * (1 - prior) / prior)
    nearer = min(chance, 1 - chance)
    return round(chance, 4 + max(0, math.ceil(-math.log10(max(nearer, 1e-12)))))


def _by_case(table: VoteTable, held: HeldOut, prior: float) -> dict[str, HeldOutCase]:
    labels = {1: Label.GENERATED, -1: Label.REAL, 0: Label.UNDECIDED}
    return {
        table.cases[row]: HeldOutCase(
            p_generated=min(max(_chance(float(held.margins[row]), prior), 0.0), 1.0), label=labels[int(held.calls[row])]
        )
        for row in np.flatnonzero(held.known)
    }
