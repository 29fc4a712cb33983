"""What each voter's word weighs, over whole tables of votes at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit  # type: ignore[import-untyped]

from evals.metrics.arrays import Floats
from evals.vote_table import GENERATED, HEDGE, REAL, VoteTable
from fusion.calibration import LIMIT, Calibration, Member, ScoreWeight

FEATURES = 6
"""For each voter: says generated, says real, hedges, log-odds of its stated chance, has a score, its scaled score."""
SOLVER = "newton-cholesky"
"""Of scikit-learn's logistic regression: made for many more cases than features."""
DECIMALS = 4
"""Of a weight: a file for people."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How weights are found."""

    smoothing: float = 1.0
    """Cases that each answer is credited with in each class before any are counted; for `log_odds`."""
    shrink: bool = True
    """Whether `log_odds` gives voters that err together less weight: counted twice, one voice is no second witness."""
    strength: float = 1.0
    """The inverse strength of the L2 penalty, as scikit-learn's `C`."""
    certainty: bool = False
    """Whether `stacked` uses the chance of `generated` that a voter states beside its vote."""


@dataclass(frozen=True)
class Scales:
    """Centre and spread of each voter's scores; 0 and 1 for a voter without any."""

    center: Floats
    spread: Floats

    @classmethod
    def of(cls, table: VoteTable) -> Scales:
        """The scales of a table that is fitted on."""
        center, spread = np.zeros(len(table.voters)), np.ones(len(table.voters))
        for column in range(len(table.voters)):
            known = table.score[:, column]
            known = known[~np.isnan(known)]
            if len(known):
                center[column] = round(float(known.mean()), DECIMALS + 2)
                spread[column] = max(float(known.std()), 1e-6)
        return cls(center, spread.round(DECIMALS + 2))


@dataclass(frozen=True)
class Weights:
    """Fitted weights: `values` is voters × FEATURES."""

    voters: tuple[str, ...]
    values: Floats
    scales: Scales
    intercept: float = 0.0

    def margins(self, table: VoteTable) -> Floats:
        """The evidence for `generated` of each case: log-odds without any prior."""
        if table.voters != self.voters:
            raise ValueError("the table has other voters than were fitted on")
        features = design(table, self.scales)
        return np.asarray(self.intercept + features @ self.values.ravel(), dtype=np.float64)

    def rounded(self) -> Weights:
        """The weights as a file keeps them."""
        return replace(self, values=self.values.round(DECIMALS), intercept=round(self.intercept, DECIMALS))

    def members(self) -> dict[str, Member]:
        """The weights by voter, as a calibration file has them."""
        return {name: self._member(row) for row, name in enumerate(self.voters)}

    def _member(self, row: int) -> Member:
        generated, real, undecided, certainty, offset, slope = (float(value) for value in self.values[row])
        score = None
        if offset or slope:
            center, spread = float(self.scales.center[row]), float(self.scales.spread[row])
            score = ScoreWeight(center=center, scale=spread, weight=slope, offset=offset)
        return Member(generated=generated, real=real, undecided=undecided, certainty=certainty, score=score)


def weights_of(calibration: Calibration, voters: tuple[str, ...]) -> Weights:
    """The weights of a calibration file, for tables of these voters."""
    values, center, spread = np.zeros((len(voters), FEATURES)), np.zeros(len(voters)), np.ones(len(voters))
    for row, name in enumerate(voters):
        member = calibration.members.get(name, Member())
        values[row, :4] = member.generated, member.real, member.undecided, member.certainty
        if member.score is not None:
            values[row, 4:] = member.score.offset, member.score.weight
            center[row], spread[row] = member.score.center, member.score.scale
    return Weights(voters, values, Scales(center, spread), calibration.intercept)


def design(table: VoteTable, scales: Scales) -> Floats:
    """The features: cases × (voters · FEATURES). What was not said is 0."""
    scored = ~np.isnan(table.score)
    reach = np.clip((np.where(scored, table.score, 0.0) - scales.center) / scales.spread, -LIMIT, LIMIT)
    stated = ~np.isnan(table.p_generated)
    chance = np.clip(np.where(stated, table.p_generated, 0.5), expit(-LIMIT), expit(LIMIT))
    features = np.stack(
        [
            table.said == GENERATED,
            table.said == REAL,
            table.said == HEDGE,
            logit(chance),
            scored,
            np.where(scored, reach, 0.0),
        ],
        axis=2,
    )
    return features.reshape(len(table), -1).astype(np.float64)
