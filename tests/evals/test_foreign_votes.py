from __future__ import annotations

from pathlib import Path

import pytest

from backends.errors import InputError
from evals import foreign_votes
from evals.ablation.ablate import ablate
from evals.calibrate.calibrate import calibrate
from evals.foreign_votes import read_foreign_votes
from evals.metrics import summarise
from fusion.decision import Rules
from paradigms.label import Label, Outcome
from tests.evals.simulated import RULES, correlated

HEADER = "case,label,paradigm,vote"


def write(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "votes.csv"
    path.write_text("\n".join([header, *lines, ""]), "utf-8")
    return path


def test_rows_become_judgments(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "a.png,fake,gpt,1,0.9,set1",
        "a.png,fake,qwen,AI,,set1",
        "b.png,0,gpt,refused,,set2",
        "b.png,0,qwen,real,0.25,set2",
        "c.png,,gpt,undecided,,",
        header=f"{HEADER},p_generated,group",
    )
    first, second, third = read_foreign_votes(path, RULES)
    assert (first.case, first.truth, first.source, first.arm) == ("a.png", Label.GENERATED, "set1", "imported")
    assert (first.label, first.score, first.costs.calls) == (Label.GENERATED, 1.0, 2)
    assert first.votes["gpt"].p_generated == 0.9
    assert (second.truth, second.label, second.votes["gpt"].outcome) == (Label.REAL, Label.UNDECIDED, Outcome.REFUSED)
    assert second.votes["gpt"].label is None
    assert (third.truth, third.source, third.votes["gpt"].label) == (None, None, Label.UNDECIDED)
    assert set(third.votes) == {"gpt"}


CHANCES = f"{HEADER},p_generated"


def test_one_paradigm_alone_is_ranked_by_its_chances(tmp_path: Path) -> None:
    """All four votes are `real`, so that only the chances tell the cases apart."""
    rows = ["a,fake,x,real,0.4", "b,fake,x,real,0.3", "c,real,x,real,0.1", "d,real,x,real,0.2"]
    found = read_foreign_votes(write(tmp_path, *rows, "e,real,x,refused,", header=CHANCES), RULES)
    assert [it.p_generated for it in found] == [0.4, 0.3, 0.1, 0.2, None]
    summary = summarise(found, resamples=1)
    assert (summary.ranked_by, summary.auc.value, summary.auc.n) == ("p_generated", 1.0, 4)
    assert summary.brier.value == pytest.approx((0.36 + 0.49 + 0.01 + 0.04) / 4)


@pytest.mark.parametrize("last", ["d,real,x,real,", "d,real,y,real,0.2"])
def test_chances_of_some_votes_or_of_several_paradigms_rank_no_case(tmp_path: Path, last: str) -> None:
    rows = ["a,fake,x,real,0.4", "b,fake,x,real,0.3", "c,real,x,real,0.1", last]
    found = read_foreign_votes(write(tmp_path, *rows, header=CHANCES), RULES)
    assert [it.p_generated for it in found] == [None] * 4
    assert found[0].votes["x"].p_generated == 0.4


def test_the_quorum_is_scaled_to_the_voters(tmp_path: Path) -> None:
    path = write(tmp_path, "a,real,x,real", "a,real,y,real", "a,real,z,undecided", "b,real,x,real")
    rules = Rules(quorum=4, generated_share=0.8, real_share=0.65)
    assert [it.label for it in read_foreign_votes(path, rules, whole=6)] == ["real", "undecided"]
    # Four votes can never be had of three voters.
    assert [it.label for it in read_foreign_votes(path, rules)] == ["undecided", "undecided"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["a,real,x,maybe"], "line 2: `vote` is generated, real"),
        (["a,perhaps,x,real"], "line 2: `label` is generated or real"),
        (["a,real,x,real", "a,real,x,fake"], "line 3: 'x' has voted on the case 'a' already"),
        (["a,real,x,real", "a,fake,y,fake"], "line 3: another line gives the case 'a' another label"),
        (["a,b.png,real,x,real"], "line 2: more fields than the first line has columns"),
        ([",real,x,real"], "line 2: `case` and `paradigm` must not be empty"),
        (["a,real,x"], "line 2: `vote` is generated"),
        (["a" * 501 + ",real,x,real"], "line 2: a value is longer than 500"),
        (['"a\x1b[2J",real,x,real'], "control characters"),
        (['"a"b,real,x,real'], "not valid CSV"),
        ([], "no vote below the first line"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_foreign_votes(write(tmp_path, *lines), RULES)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_columns_and_chances_are_checked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the column 'vote' is missing"):
        read_foreign_votes(write(tmp_path, "a,real,x", header="case,label,paradigm"), RULES)
    for chance in ("1.5", "nan", "much"):
        path = write(tmp_path, f"a,real,x,real,{chance}", header=f"{HEADER},p_generated")
        with pytest.raises(InputError, match="line 2: `p_generated` is a number from 0 to 1"):
            read_foreign_votes(path, RULES)
    path = write(tmp_path, "a,real,x,real,s1", "a,real,y,real,s2", header=f"{HEADER},group")
    with pytest.raises(InputError, match="another group"):
        read_foreign_votes(path, RULES)


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_foreign_votes(tmp_path / "none.csv", RULES)
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_foreign_votes(tmp_path / "binary.csv", RULES)
    path = write(tmp_path, "a,real,x,real", "b,real,x,real")
    monkeypatch.setattr(foreign_votes, "MAX_ROWS", 1)
    with pytest.raises(InputError, match="more than 1 votes"):
        read_foreign_votes(path, RULES)
    monkeypatch.setattr(foreign_votes, "MAX_BYTES", 10)
    with pytest.raises(InputError, match="larger than 10 bytes"):
        read_foreign_votes(path, RULES)


def test_an_imported_majority_loses_and_the_calibration_recovers_the_best_voter(tmp_path: Path) -> None:
    lines = [
        f"{one.case},{one.truth},{name},{vote.label},{one.source}"
        for one in correlated(500)
        for name, vote in one.votes.items()
    ]
    imported = read_foreign_votes(write(tmp_path, *lines, header=f"{HEADER},group"), RULES)
    found = calibrate(imported, rules=RULES)
    assert found.comparison.majority < found.comparison.best_single_held_out - 0.04
    assert found.comparison.recovers
    assert any("the fit recovers the best voter's accuracy" in line for line in found.words)
    assert ablate(imported, RULES).best_single.voters == ("p0",)
