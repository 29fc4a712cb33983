"""Simulated votes: each voter is right with a chance of its own, and some follow the same coin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evals.judgment import Judgment, Vote
from fusion.decision import Rules
from paradigms.label import Label, Outcome

RULES = Rules(quorum=2, generated_share=0.8, real_share=0.65)
SAID = {"g": Label.GENERATED, "r": Label.REAL, "u": Label.UNDECIDED}


def vote(letter: str, calls: int = 1) -> Vote:
    """g, r, u answered; x refused; `.` skipped."""
    if letter in SAID:
        return Vote(outcome=Outcome.ANSWERED, label=SAID[letter], calls=calls)
    return Vote(outcome=Outcome.REFUSED if letter == "x" else Outcome.SKIPPED, calls=calls if letter == "x" else 0)


def judgment(truth: str, letters: str, case: str, source: str | None = None) -> Judgment:
    """A case with its truth (g or r) and the votes of p0, p1…"""
    votes = {f"p{place}": vote(letter) for place, letter in enumerate(letters)}
    return Judgment(
        case=case, sha256=f"{case}-digest", truth=SAID[truth], source=source, arm="a", label=None, votes=votes
    )


def judgments(rows: Sequence[tuple[str, str]]) -> list[Judgment]:
    return [judgment(truth, letters, f"c{place:04}") for place, (truth, letters) in enumerate(rows)]


def correlated(
    cases: int = 600,
    accuracies: Sequence[float] = (0.86, 0.72, 0.70),
    following: float = 0.8,
    seed: int = 0,
    sources: int = 7,
) -> list[Judgment]:
    """Votes of p0, p1…: all but the first follow one common draw in so many cases, and so err together."""
    random = np.random.default_rng(seed)
    made = []
    for place in range(cases):
        generated, common, letters = place % 2 == 0, random.random(), ""
        for voter, accuracy in enumerate(accuracies):
            follows = voter > 0 and random.random() < following
            right = (common if follows else random.random()) < accuracy
            letters += "g" if right is generated else "r"
        made.append(judgment("g" if generated else "r", letters, f"c{place:04}", f"s{place % sources}"))
    return made
