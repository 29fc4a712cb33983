from __future__ import annotations

import itertools

import numpy as np
import pytest

from evals.tally import scaled, settled, tally_calls
from evals.vote_table import VoteTable, one_each
from fusion.decision import Rules
from fusion.verdict import Votes
from fusion.vote import decide
from paradigms.label import Label
from tests.evals.simulated import RULES, judgments

CODES = {Label.GENERATED: 1, Label.REAL: -1, Label.UNDECIDED: 0}


@pytest.mark.parametrize("rules", [Rules(quorum=4, generated_share=0.8, real_share=0.65), RULES])
def test_it_counts_as_the_fusion_does(rules: Rules) -> None:
    patterns = list(itertools.combinations_with_replacement((1, -1, 0, -9), 6))
    expected = [
        CODES[decide(Votes(generated=row.count(1), real=row.count(-1), undecided=row.count(0)), rules).label]
        for row in patterns
    ]
    assert tally_calls(np.array(patterns, dtype=np.int8), rules).tolist() == expected
    assert set(expected) == {1, -1, 0}


@pytest.mark.parametrize(("part", "quorum"), [(6, 4), (5, 4), (3, 2), (1, 1)])
def test_the_quorum_shrinks_with_the_voters(part: int, quorum: int) -> None:
    assert scaled(Rules(quorum=4, generated_share=0.8, real_share=0.65), part, 6).quorum == quorum


def test_settled_is_a_label_that_nobody_contradicts() -> None:
    rows = [("g", "ggggg"), ("g", "ggggr"), ("g", "guuuu"), ("g", "gg..."), ("r", "rrrrg")]
    table = VoteTable.of(one_each(judgments(rows)))
    assert settled(table, RULES).tolist() == [1, 0, 0, 1, 0]
