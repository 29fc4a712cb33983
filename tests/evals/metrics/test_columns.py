from __future__ import annotations

import numpy as np
import pytest

from backends.errors import InputError
from evals.judgment import Vote
from evals.metrics.columns import VOTED, aligned, read, read_groups
from paradigms.label import Label


def test_codes_of_a_table(table) -> None:
    rows = read(reversed(table))
    assert list(rows.case.names) == ["g1", "g2", "g3", "g4", "g5", "r1", "r2", "r3", "r4", "r5"]
    assert rows.truth.tolist() == [1] * 5 + [0] * 5
    assert rows.called.tolist() == [1, 1, 0, -1, -2, 0, 0, 0, 1, -1]
    assert rows.generator.codes.tolist() == [0, 0, 1, 1, 1, -1, -1, -1, -1, -1]
    assert np.isnan(rows.score).tolist() == [False] * 4 + [True] + [False] * 5


def test_groups_come_with_none_first(judgment) -> None:
    given = [("b", "none"), ("a", "blur"), ("a", "none"), ("a", "a_crop")]
    groups = read_groups(judgment("c", "r", "r", arm=arm, perturbation=change) for arm, change in given)
    assert list(groups) == [("a", "none"), ("a", "a_crop"), ("a", "blur"), ("b", "none")]


def test_a_case_twice_in_one_repeat_is_refused(judgment) -> None:
    with pytest.raises(InputError, match="'c' is there twice"):
        read([judgment("c", "r", "r"), judgment("c", "r", "g")])
    assert len(read([judgment("c", "r", "r"), judgment("c", "r", "g", repeat=1)])) == 2


@pytest.mark.parametrize("arms", [(), ("a", "b")])
def test_one_arm_at_a_time(judgment, arms: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="One arm and one perturbation"):
        read(judgment("c", "r", "r", arm=arm) for arm in arms)


def test_measurements_and_scores_have_nothing_to_hedge(judgment) -> None:
    measured = Vote(outcome="answered", label=Label.UNDECIDED, eyes=False)
    scored = measured.model_copy(update={"score": 1.5})
    hedged = Vote(outcome="answered", label=Label.UNDECIDED)
    rows = read([judgment("c", "r", "r", votes={"m": measured, "s": scored, "h": hedged})])
    assert {name: VOTED[codes[0]] for name, codes in rows.votes.items()} == {
        "m": "answered",
        "s": "answered",
        "h": "hedged",
    }


def test_a_paradigm_that_comes_late_is_absent_before(judgment) -> None:
    late = {"p": Vote(outcome="answered", label=Label.UNDECIDED)}
    rows = read([judgment("a", "r", "r"), judgment("b", "r", "r", votes=late), judgment("c", "r", "r")])
    assert [VOTED[code] for code in rows.votes["p"]] == ["absent", "hedged", "absent"]


def test_a_score_that_is_no_number_says_nothing(judgment) -> None:
    rows = read([judgment("a", "r", "r", float("inf")), judgment("b", "r", "r", float("nan"))])
    assert np.isnan(rows.score).all()


def test_aligned_keeps_what_both_have(judgment) -> None:
    one = read([judgment("a", "r", "r"), judgment("b", "r", "g"), judgment("b", "r", "r", repeat=1)])
    other = read([judgment("b", "r", "u"), judgment("c", "r", "r")])
    left, right = aligned(one, other)
    assert left.keys() == right.keys() == [("b", 0)]
    assert (left.called.tolist(), right.called.tolist()) == ([1], [-1])
