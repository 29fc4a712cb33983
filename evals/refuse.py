"""Fusing stored votes anew, with another strategy: offline, at no cost, as far as the votes allow it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backends.errors import ConfigError, InputError, UnknownNameError
from evals.calibrate.calibrate import FEWEST
from evals.calibrate.fit import FITTERS, Recipe, hold_out, spoken
from evals.folds import in_domain
from evals.judgment import Costs, Judgment, Vote
from evals.vote_table import GENERATED, REAL, VoteTable, one_each, saying
from fusion.calibration import Calibration, FittedStrategy, sigmoid
from fusion.decision import Rules
from fusion.fitted import judge
from fusion.strategies import FITTED, STRATEGIES
from fusion.verdict import Basis, UndecidedBecause, Votes
from fusion.vote import decide
from paradigms.label import Label, Outcome

ASKS = "its panel is a model, and nobody is asked here"
EVIDENCE = "it needs the signs that were named, and a judgment keeps the votes alone"
_WHY_NOT = {"vote": f"{ASKS}; `tally` is its votes without the panel", "panel": ASKS, "decisive": EVIDENCE}
_LABELS = {GENERATED: Label.GENERATED, REAL: Label.REAL}


@dataclass(frozen=True, slots=True)
class Refusion:
    """The judgments under another strategy, or why there are none."""

    strategy: str
    judgments: tuple[Judgment, ...] = ()
    how: str = ""
    """How it was done, in words."""
    because: str | None = None
    """Why it cannot be done; None when it was."""


def refuse(
    judgments: Iterable[Judgment], strategy: str, rules: Rules, calibration: Calibration | None = None, *, seed: int = 0
) -> Refusion:
    """The judgments of one arm, fused anew. What the file itself declares is left out.

    A fitted strategy without a calibration is fitted on the other cases, fold by fold, with the thresholds that
    `calibrate` would choose: no case is judged by what was fitted on it.

    Raises:
        ConfigError: the calibration is of another strategy.
        InputError: there are several arms or perturbations.
        UnknownNameError: there is no such strategy.
    """
    if strategy not in (*STRATEGIES, *FITTED):
        raise UnknownNameError("fusion", strategy, (*STRATEGIES, *FITTED))
    if calibration is not None and calibration.strategy != strategy:
        raise ConfigError(f"The calibration {calibration.name!r} is of {calibration.strategy!r}, not of {strategy!r}.")
    if strategy in _WHY_NOT:
        return Refusion(strategy, because=_WHY_NOT[strategy])
    kept = list(judgments)
    if strategy == "tally":
        return Refusion(strategy, tuple(_tallied(kept, rules)), "counted anew")
    if calibration is not None:
        how = f"with the calibration {calibration.name}"
        return Refusion(strategy, tuple(_calibrated(kept, calibration)), how)
    return _fitted(kept, strategy, seed)


def refuse_all(judgments: Iterable[Judgment], rules: Rules, *, seed: int = 0) -> tuple[Refusion, ...]:
    """The judgments of one arm under every strategy, those that cannot be done with their reason."""
    kept = list(judgments)
    return tuple(refuse(kept, strategy, rules, seed=seed) for strategy in (*STRATEGIES, *FITTED))


def tally_votes(votes: Iterable[Vote]) -> Votes:
    """The votes of those with eyes."""
    labels = [vote.label for vote in votes if vote.eyes and vote.outcome is Outcome.ANSWERED]
    return Votes(
        generated=labels.count(Label.GENERATED), real=labels.count(Label.REAL), undecided=labels.count(Label.UNDECIDED)
    )


def _tallied(judgments: Sequence[Judgment], rules: Rules) -> Iterator[Judgment]:
    for judgment in judgments:
        if not judgment.votes:
            yield judgment
            continue
        decision = decide(tally_votes(judgment.votes.values()), rules)
        yield _again(judgment, "tally", decision.label, decision.undecided_because)


def _calibrated(judgments: Sequence[Judgment], calibration: Calibration) -> Iterator[Judgment]:
    for judgment in judgments:
        if not judgment.votes:
            yield judgment
            continue
        said = {name: saying(vote) for name, vote in judgment.votes.items()}
        label, because, chance = judge(said, calibration)
        counts = because is not UndecidedBecause.BELOW_QUORUM
        yield _again(judgment, calibration.strategy, label, because, chance if counts else None)


def _fitted(judgments: Sequence[Judgment], strategy: str, seed: int) -> Refusion:
    """Fitted on the other cases, at even prior; cases without a known truth are left out."""
    chosen = one_each(judgments)
    try:
        table = VoteTable.of(chosen)
    except InputError as error:
        return Refusion(strategy, because=str(error))
    generated, real = table.classes
    if min(generated, real) < FEWEST:
        because = f"it takes {FEWEST} labelled cases of each class; here are {generated} generated and {real} real"
        return Refusion(strategy, because=because)
    name: FittedStrategy = next(known for known in FITTERS if known == strategy)
    recipe = Recipe(strategy=name, minimum=math.ceil(len(table.voters) / 2), seed=seed)
    folds = in_domain(table, seed)
    held = hold_out(table, recipe, folds)
    enough = spoken(table) >= recipe.minimum
    made = []
    for row in np.flatnonzero(held.known):
        label = _LABELS.get(int(held.calls[row]), Label.UNDECIDED)
        reason = None if label is not Label.UNDECIDED else _why(chosen[row], enough=bool(enough[row]))
        chance = sigmoid(float(held.margins[row])) if enough[row] else None
        made.append(_again(chosen[row], strategy, label, reason, chance))
    return Refusion(
        strategy, tuple(made), f"fitted on the other cases, for {100 * recipe.target_fpr:g} of 100: {folds.scheme}"
    )


def _why(judgment: Judgment, *, enough: bool) -> UndecidedBecause:
    """Why a fitted fusion leaves a case undecided."""
    if not enough:
        return UndecidedBecause.BELOW_QUORUM
    votes = tally_votes(judgment.votes.values())
    return UndecidedBecause.CONFLICT if votes.generated and votes.real else UndecidedBecause.WEAK


def _again(
    judgment: Judgment, strategy: str, label: Label, because: UndecidedBecause | None, chance: float | None = None
) -> Judgment:
    """The judgment under another strategy. What a panel cost is not part of it any more."""
    votes = tally_votes(judgment.votes.values())
    return judgment.model_copy(
        update={
            "arm": f"{judgment.arm} / {strategy}",
            "label": label,
            "undecided_because": because,
            "basis": Basis.SEEN,
            "error": None,
            "error_kind": None,
            "score": round((votes.generated - votes.real) / votes.answered, 4) if votes.answered else None,
            "p_generated": chance,
            "panel": None,
            "costs": Costs(calls=judgment.subject_calls + sum(vote.calls for vote in judgment.votes.values())),
        }
    )
