from __future__ import annotations

import math
from pathlib import Path

import pytest

from backends.errors import ConfigError
from fusion.calibration import LIMIT, Calibration, Member, Saying, ScoreWeight, read_calibration, sigmoid
from fusion.explanation import calibration_text
from paradigms.label import Label

from .conftest import calibration, unfit


def test_the_sum_by_hand() -> None:
    made = calibration(intercept=0.5, prior=0.2)
    said = {
        "p0": Saying(Label.GENERATED),
        "p1": Saying(Label.REAL),
        "p2": Saying(Label.UNDECIDED),
        "other": Saying(Label.REAL),
    }
    log_odds = math.log(0.2 / 0.8) + 0.5 + 2 - 1
    assert made.p_generated(said) == pytest.approx(1 / (1 + math.exp(-log_odds)))
    assert made.spoken(said) == 2
    assert made.p_generated({}) == pytest.approx(sigmoid(math.log(0.25) + 0.5))


def test_scores_and_stated_chances_have_a_limited_reach() -> None:
    member = Member(certainty=1.0, score=ScoreWeight(center=10, scale=2, weight=0.5, offset=0.25))
    assert member.adds(Saying(score=12)) == pytest.approx(0.25 + 0.5)
    assert member.adds(Saying(score=1e300)) == pytest.approx(0.25 + 0.5 * LIMIT)
    assert member.adds(Saying(Label.GENERATED, 0.9)) == pytest.approx(math.log(9))
    assert member.adds(Saying(Label.GENERATED, 1.0)) == pytest.approx(LIMIT)
    assert member.adds(Saying()) == 0


def test_extreme_log_odds_do_not_overflow() -> None:
    assert (sigmoid(1e6), sigmoid(-1e6)) == (1.0, 0.0)


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path, made = tmp_path / "c.yaml", calibration()
    path.write_text(made.to_yaml(), "utf-8")
    assert read_calibration(path) == made
    assert path.read_text("utf-8").startswith("# A calibration. An ensemble uses it with `fusion: {strategy: log_odds,")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("strategy: log_odds", "strategy: vote", "strategy"),
        ("minimum: 2", "minimum: 0", "minimum"),
        ("minimum: 2", "minimun: 2", "Did you mean 'minimum'?"),
        ("generated: 0.9", "generated: 0.05", "thresholds.real must lie below thresholds.generated"),
        ("prior: 0.5", "prior: 1.0", "prior"),
        ("intercept: 0.0", "intercept: .nan", "intercept"),
        ("strategy: log_odds", "strategy: [", "not valid YAML"),
        ("schema_version: '1'", "schema_version: '2'", "schema_version"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    path, text = tmp_path / "c.yaml", calibration().to_yaml()
    body = text.split("\n", 1)[1]
    assert old in body
    path.write_text(body.replace(old, new, 1), "utf-8")
    with pytest.raises(ConfigError) as caught:
        read_calibration(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_calibration(tmp_path / "none.yaml")


def test_the_note_and_its_words_carry_what_was_measured() -> None:
    note = calibration().note
    assert (note.n, note.prior, note.false_positive_rate, note.false_positive_interval) == (
        200,
        0.5,
        0.02,
        (0.005, 0.07),
    )
    text = calibration_text(0.934, note)
    assert "is 0.93, if 50 of 100 pictures are" in text
    assert "called 2 of 100 photographs generated (interval 0.5 to 7)" in text
    assert unfit([text]) == []


@pytest.mark.parametrize(
    ("chance", "said"),
    [
        (0.0, "below 0.01"),
        (0.0049, "below 0.01"),
        (0.0051, "0.01"),
        (0.994, "0.99"),
        (0.996, "above 0.99"),
        (1.0, "above 0.99"),
    ],
)
def test_no_chance_is_said_as_a_certainty(chance: float, said: str) -> None:
    assert f"the picture is generated is {said}, if" in calibration_text(chance, calibration().note)


def test_the_model_forbids_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="extra"):
        Calibration.model_validate({**calibration().model_dump(), "author": "me"})
