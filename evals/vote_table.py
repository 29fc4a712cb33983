"""The votes of one arm as arrays: one row a case, one column a voter."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from backends.errors import InputError
from evals.judgment import Judgment, Vote
from evals.metrics.arrays import Bools, Floats, Ints
from fusion.calibration import Saying
from paradigms.label import Cause, Label, Outcome
from paradigms.scores.scorer import MAX_SCORE

Votes = npt.NDArray[np.int8]
GENERATED, REAL, HEDGE, SILENT = 1, -1, 0, -9
"""What a voter said. SILENT is all that is no answer of somebody with eyes, scores included."""
_CODES = {Label.GENERATED: GENERATED, Label.REAL: REAL, Label.UNDECIDED: HEDGE}
_SIDES = (Label.GENERATED, Label.REAL)


@dataclasses.dataclass(frozen=True)
class VoteTable:
    """What every voter said of every labelled case. Rows are sorted by case, and each case has one."""

    cases: tuple[str, ...]
    voters: tuple[str, ...]
    """Paradigms that answered with eyes, or gave a score, at least once; in alphabetical order."""
    said: Votes
    """Cases × voters: GENERATED, REAL, HEDGE or SILENT."""
    p_generated: Floats
    """Cases × voters; NaN where none was said."""
    score: Floats
    """Cases × voters; NaN where there is none."""
    calls: Ints
    """Cases × voters: answers that were needed."""
    other_calls: Ints
    """Answers that each case needed besides: for the main subject, and the panel's."""
    generated: Bools
    """The truth of each case."""
    source: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.cases)

    @classmethod
    def of(cls, judgments: Sequence[Judgment]) -> Self:
        """The table of judgments that `one_each` chose.

        Raises:
            InputError: nobody has voted in any of them, or not everybody was asked in all of them.
        """
        _everybody_asked(judgments)
        voters = tuple(sorted({name for it in judgments for name, vote in it.votes.items() if _spoke(vote)}))
        if not voters:
            raise InputError("There are no votes to analyse: in no labelled case has anybody answered.")
        shape = (len(judgments), len(voters))
        said = np.full(shape, SILENT, dtype=np.int8)
        chance, score = np.full(shape, np.nan), np.full(shape, np.nan)
        calls = np.zeros(shape, dtype=np.int64)
        for row, judgment in enumerate(judgments):
            for column, name in enumerate(voters):
                vote = judgment.votes.get(name)
                if vote is None:
                    continue
                calls[row, column] = vote.calls
                heard = saying(vote)
                said[row, column] = SILENT if heard.label is None else _CODES[heard.label]
                chance[row, column] = np.nan if heard.p_generated is None else heard.p_generated
                score[row, column] = np.nan if heard.score is None else heard.score
        return cls(
            cases=tuple(it.case for it in judgments),
            voters=voters,
            said=said,
            p_generated=chance,
            score=score,
            calls=calls,
            other_calls=np.array([_other_calls(it) for it in judgments], dtype=np.int64),
            generated=np.array([it.truth is Label.GENERATED for it in judgments], dtype=bool),
            source=tuple(it.source for it in judgments),
        )

    def take(self, rows: Ints) -> Self:
        """Only these rows."""
        return dataclasses.replace(
            self,
            cases=tuple(self.cases[row] for row in rows),
            said=self.said[rows],
            p_generated=self.p_generated[rows],
            score=self.score[rows],
            calls=self.calls[rows],
            other_calls=self.other_calls[rows],
            generated=self.generated[rows],
            source=tuple(self.source[row] for row in rows),
        )

    def only(self, voters: Sequence[str]) -> Self:
        """Only these voters, in this order."""
        columns = [self.voters.index(name) for name in voters]
        return dataclasses.replace(
            self,
            voters=tuple(voters),
            said=self.said[:, columns],
            p_generated=self.p_generated[:, columns],
            score=self.score[:, columns],
            calls=self.calls[:, columns],
        )

    @property
    def with_eyes(self) -> tuple[str, ...]:
        """The voters that answered at least once; the others only gave scores."""
        looked = (self.said != SILENT).any(axis=0)
        return tuple(name for name, saw in zip(self.voters, looked, strict=True) if saw)

    @property
    def states_chances(self) -> bool:
        """Whether any vote comes with a chance of `generated`."""
        return not bool(np.isnan(self.p_generated).all())

    @property
    def classes(self) -> tuple[int, int]:
        """How many cases are generated, and how many are real."""
        generated = int(self.generated.sum())
        return generated, len(self) - generated


def one_each(judgments: Iterable[Judgment], labels: Mapping[str, Label] | None = None) -> list[Judgment]:
    """The labelled judgments with votes, one for each case (its first repeat), sorted by case.

    Args:
        judgments: of one arm and one perturbation.
        labels: what people decided, by case or SHA-256; it counts above the data set's truth. `undecided` takes a case
            out.

    Raises:
        InputError: there are several arms or perturbations, or no label is of any of the cases.
    """
    labels, known = labels or {}, False
    chosen: dict[str, Judgment] = {}
    groups: set[tuple[str, str]] = set()
    for judgment in judgments:
        groups.add((judgment.arm, judgment.perturbation))
        if len(groups) > 1:
            names = ", ".join(f"{arm} / {perturbation}" for arm, perturbation in sorted(groups))
            raise InputError(f"One arm and one perturbation are analysed at a time; here are {names}.")
        known = known or judgment.case in labels or judgment.sha256 in labels
        truth = labels.get(judgment.case, labels.get(judgment.sha256, judgment.truth))
        before = chosen.get(judgment.case)
        if truth in _SIDES and judgment.votes and (before is None or judgment.repeat < before.repeat):
            chosen[judgment.case] = judgment.model_copy(update={"truth": truth})
    if labels and not known:
        raise InputError("None of the labels that people gave is for a case of this run; check the file.")
    return [chosen[case] for case in sorted(chosen)]


def saying(vote: Vote) -> Saying:
    """What a vote says, as a calibration hears it."""
    if vote.score is not None and abs(vote.score) <= MAX_SCORE:
        return Saying(score=vote.score)
    if vote.eyes and vote.outcome is Outcome.ANSWERED:
        return Saying(vote.label, vote.p_generated)
    return Saying()


def _everybody_asked(judgments: Sequence[Judgment]) -> None:
    """Refuse a run in stages: who is asked only where others could not settle a case sees the harder cases alone."""
    late: set[str] = set()
    for judgment in judgments:
        late |= {name for name, vote in judgment.votes.items() if vote.cause is Cause.STOPPED_EARLY}
    if late:
        raise InputError(
            f"Not everybody was asked about every case: {', '.join(sorted(late))} came in a later stage and saw the "
            "harder cases alone, so votes cannot be set against each other. Judge the cases without stages (`stages: "
            "[]`, for example --set base.set.stages=[]) and analyse that run."
        )


def _other_calls(judgment: Judgment) -> int:
    return judgment.subject_calls + (0 if judgment.panel is None else judgment.panel.calls)


def _spoke(vote: Vote) -> bool:
    heard = saying(vote)
    return heard.label is not None or heard.score is not None
