"""What asking in stages would have saved and cost, from the votes of a run in which everybody was asked."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from pydantic import BaseModel, ConfigDict

from backends.errors import ConfigError, UnknownNameError
from evals.calibrate.fit import fit_of
from evals.metrics.arrays import Bools, Floats, Ints
from evals.tally import settled, tally_calls
from evals.vote_table import GENERATED, SILENT, Votes, VoteTable
from fusion.calibration import Calibration
from fusion.decision import Rules

MOST_SEARCHED = 10
"""Voters for whom every division into two stages is tried."""
MOST_SHOWN = 5
Stages = tuple[tuple[str, ...], ...]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Standing(_Record):
    """How labels come out. All shares are of all cases."""

    right: float
    """Decided, and right."""
    decided: float
    false_positive_rate: float | None
    """Photographs called generated, of all photographs; None without photographs."""


class StagesOutcome(_Record):
    """One set of stages."""

    stages: Stages
    stopped: float
    """Share of cases in which a later stage would have been left out."""
    calls: int
    """Answers that were needed when everybody was asked, those for the main subject and the panel's included; stopping
    early saves none of these."""
    calls_saved: int
    saved: float
    """`calls_saved` as a share of `calls`."""
    changed: float
    """Share of cases whose label would have been another."""
    everybody: Standing
    early: Standing
    right_lost: float
    """`everybody.right` less `early.right`; below 0 where stopping early is right more often."""


class StagesStudy(_Record):
    """Sets of stages: those asked for, and the best that were found by trying every division into two."""

    decided_by: str
    """`tally`, or the name of the calibration."""
    quorum: int
    """Votes that must agree before a later stage is left out, inclusive."""
    calls_known: bool
    """False where the run does not say how many calls an answer took; each then counts as one."""
    asked_for: tuple[StagesOutcome, ...] = ()
    best: tuple[StagesOutcome, ...] = ()
    """No other division saves as much, loses as little and accuses as seldom; the one that saves most comes first.
    Chosen in hindsight."""


def study_stages(
    table: VoteTable,
    rules: Rules,
    calibration: Calibration | None = None,
    asked_for: Sequence[Sequence[Sequence[str]]] = (),
) -> StagesStudy:
    """Try sets of stages with `stop_when: [agreement]`.

    Args:
        table: of a run in which everybody was asked.
        rules: of the ensemble; agreement is that of the votes, whatever decides in the end.
        calibration: what decides in the end; None for the votes.
        asked_for: sets of stages to try, each naming every voter with eyes exactly once.

    Raises:
        ConfigError: a set of stages does not name every voter exactly once.
    """
    known = bool(table.calls.any())
    table = table if known else replace(table, calls=(table.said != SILENT).astype(np.int64))
    chosen = tuple(_checked(table, stages) for stages in asked_for)
    tried = [simulate(table, stages, rules, calibration) for stages in _divisions(table, rules)]
    return StagesStudy(
        decided_by="tally" if calibration is None else calibration.name,
        quorum=rules.quorum,
        calls_known=known,
        asked_for=tuple(simulate(table, stages, rules, calibration) for stages in chosen),
        best=tuple(_unbeaten(tried)[:MOST_SHOWN]),
    )


def simulate(table: VoteTable, stages: Stages, rules: Rules, calibration: Calibration | None = None) -> StagesOutcome:
    """What one set of stages would have come to. Scores take no call, and are there from the first stage on."""
    asked = np.isin(table.voters, [name for name in table.voters if name not in table.with_eyes])
    open_rows = np.ones(len(table), dtype=bool)
    heard = np.zeros(table.said.shape, dtype=bool)
    for number, stage in enumerate(stages):
        asked = asked | np.isin(table.voters, stage)
        heard[open_rows] = asked
        if number < len(stages) - 1:
            open_rows = open_rows & (settled(_hearing(table, heard), rules) == 0)
    everybody, early = _calls(table, rules, calibration), _calls(_hearing(table, heard), rules, calibration)
    calls, saved = int(table.calls.sum() + table.other_calls.sum()), int(table.calls[~heard].sum())
    before, after = _standing(everybody, table.generated), _standing(early, table.generated)
    return StagesOutcome(
        stages=stages,
        stopped=_share(~open_rows),
        calls=calls,
        calls_saved=saved,
        saved=round(saved / calls, 6) if calls else 0.0,
        changed=_share(everybody != early),
        everybody=before,
        early=after,
        right_lost=round(before.right - after.right, 6),
    )


def _hearing(table: VoteTable, heard: Bools) -> VoteTable:
    """The table with everything that was not heard left out."""
    return replace(
        table,
        said=np.where(heard, table.said, SILENT).astype(np.int8),
        p_generated=np.where(heard, table.p_generated, np.nan),
        score=np.where(heard, table.score, np.nan),
    )


def _calls(table: VoteTable, rules: Rules, calibration: Calibration | None) -> Votes:
    if calibration is None:
        return tally_calls(table.said, rules)
    return fit_of(calibration, table.voters).calls(table, calibration.minimum)


def _standing(calls: Votes, generated: Bools) -> Standing:
    right = calls == np.where(generated, GENERATED, -GENERATED)
    photographs = calls[~generated]
    return Standing(
        right=_share(right),
        decided=_share(calls != 0),
        false_positive_rate=_share(photographs == GENERATED) if len(photographs) else None,
    )


def _divisions(table: VoteTable, rules: Rules) -> Iterator[Stages]:
    """Every division into two stages, the first of which is large enough for a label."""
    names = table.with_eyes
    for size in range(rules.quorum, len(names)):
        firsts = itertools.combinations(names, size) if len(names) <= MOST_SEARCHED else [_most_accurate(table, size)]
        for first in firsts:
            yield first, tuple(name for name in names if name not in first)


def _most_accurate(table: VoteTable, size: int) -> tuple[str, ...]:
    truth: Ints = np.where(table.generated, GENERATED, -GENERATED)
    scores: Floats = (table.said == truth[:, None]).mean(axis=0)
    order = [table.voters[column] for column in np.argsort(-scores, kind="stable")]
    return tuple(name for name in order if name in table.with_eyes)[:size]


def _unbeaten(tried: list[StagesOutcome]) -> list[StagesOutcome]:
    """Those than which no other is at least as good in every respect, the largest saving first."""
    saving = [outcome for outcome in tried if outcome.calls_saved]
    kept = [one for one in saving if not any(_beats(other, one) for other in saving)]
    return sorted(kept, key=lambda it: (-it.calls_saved, it.right_lost, it.stages))


def _beats(one: StagesOutcome, other: StagesOutcome) -> bool:
    """Whether one saves as much, loses as little and accuses as seldom as the other, and is better in one of them."""
    first, second = _respects(one), _respects(other)
    return first != second and all(here <= there for here, there in zip(first, second, strict=True))


def _respects(outcome: StagesOutcome) -> tuple[float, float, float]:
    """What is to be small."""
    return -outcome.calls_saved, outcome.right_lost, outcome.early.false_positive_rate or 0.0


def _checked(table: VoteTable, stages: Sequence[Sequence[str]]) -> Stages:
    named = [name for stage in stages for name in stage]
    for name in named:
        if name not in table.with_eyes:
            raise UnknownNameError("voter", name, table.with_eyes)
    if sorted(named) != sorted(table.with_eyes):
        raise ConfigError("stages must name every voter exactly once.")
    return tuple(tuple(stage) for stage in stages)


def _share(flags: Bools) -> float:
    return round(float(flags.mean()), 6)
