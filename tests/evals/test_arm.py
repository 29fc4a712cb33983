from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backends.errors import ConfigError
from evals.arm import Arm, resolve_arms
from evals.experiment import Experiment

SIX = {"defect_query", "regional", "commonsense", "few_shot", "structural", "stereotype"}


def arms(folder: Path = Path(), /, **settings: Any) -> dict[str, Arm]:
    experiment = Experiment.model_validate({"name": "x", "data": {"path": "p"}} | settings)
    return {arm.name: arm for arm in resolve_arms(experiment, folder)}


def test_without_arms_it_is_the_ensemble_itself() -> None:
    assert list(arms()) == ["six"]
    assert list(arms(base={"ensemble": "direct"})) == ["direct"]
    assert list(arms(grid={})) == ["six"]


def test_a_grid_is_every_combination_named_by_what_varies() -> None:
    found = arms(
        base={"backend": "scripted:a.yaml"},
        grid={"ensemble": ["six"], "layout": ["paper", "shared"], "strategy": ["vote", "tally"]},
    )
    assert list(found) == ["paper · vote", "paper · tally", "shared · vote", "shared · tally"]
    assert found["paper · tally"].ensemble.layout == "paper"
    assert found["paper · tally"].ensemble.fusion.strategy == "tally"


def test_arms_are_tried_in_every_combination_of_a_grid() -> None:
    found = arms(arms=[{"name": "a"}, {"name": "b", "layout": "paper"}], grid={"backend": ["s:1", "s:2"]})
    assert set(found) == {"a · s:1", "a · s:2", "b · s:1", "b · s:2"}
    assert found["b · s:2"].ensemble.backend == "s:2"
    assert found["b · s:2"].ensemble.layout == "paper"
    with pytest.raises(ConfigError, match="'b' and the grid both set layout"):
        arms(arms=[{"name": "b", "layout": "paper"}], grid={"layout": ["shared"]})


def test_arms_of_one_backend_stand_together() -> None:
    found = arms(arms=[{"name": n, "backend": b} for n, b in (("a", "s:1"), ("b", "s:2"), ("c", "s:1"))])
    assert list(found) == ["a", "c", "b"]


def test_paradigms_are_only_those_named() -> None:
    found = arms(
        base={"paradigms": ["regional", "commonsense"]},
        arms=[{"name": "base"}, {"name": "own", "paradigms": ["direct", "structural"]}],
    )
    assert set(found["base"].ensemble.paradigms) == {"regional", "commonsense"}
    assert set(found["own"].ensemble.paradigms) == {"direct", "structural"}


def test_paradigms_may_be_files_and_join_the_last_stage(tmp_path: Path) -> None:
    text = "extends: six\nparadigms: [regional, commonsense, few_shot, structural]\n"
    (tmp_path / "staged.yaml").write_text(text + "stages: [[regional, commonsense], [few_shot, structural]]\n", "utf-8")
    (tmp_path / "own.yaml").write_text("name: own\n", "utf-8")
    found = arms(tmp_path, arms=[{"name": "a", "ensemble": "staged.yaml", "paradigms": ["regional", "own.yaml"]}])
    ensemble = found["a"].ensemble
    assert ensemble.paradigms["own"].file == str(tmp_path / "own.yaml")
    assert ensemble.stages == (("regional",), ("own",))


def test_settings_of_an_arm_lie_above_those_of_the_base() -> None:
    found = arms(
        base={"strategy": "tally", "set": {"fusion": {"quorum": 2}, "sampling": {"temperature": 0.5}}},
        arms=[{"name": "a"}, {"name": "b", "set": {"fusion": {"quorum": 3, "strategy": "vote"}}}],
    )
    assert [found[name].ensemble.fusion.quorum for name in "ab"] == [2, 3]
    assert [found[name].ensemble.fusion.strategy for name in "ab"] == ["tally", "vote"]
    assert found["b"].ensemble.sampling.temperature == 0.5


def test_files_in_settings_count_from_the_experiment(tmp_path: Path) -> None:
    table = {"detector": {"kind": "score", "file": "scores.csv"}}
    ensemble = arms(tmp_path, base={"set": {"paradigms": table, "prices": "prices.yaml"}})["six"].ensemble
    assert ensemble.paradigms["detector"].file == str(tmp_path / "scores.csv")
    assert ensemble.prices == str(tmp_path / "prices.yaml")
    assert set(ensemble.paradigms) == {*SIX, "detector"}


def test_provenance_is_left_out_unless_asked_for(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("provenance: decide\n", "utf-8")
    assert arms(tmp_path, base={"ensemble": "own.yaml"})["own"].ensemble.provenance == "ignore"
    assert arms(tmp_path, base={"ensemble": "own.yaml"}, provenance="evidence")["own"].ensemble.provenance == "evidence"


def test_the_environment_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIXLENS_BACKEND", "scripted:other.yaml")
    assert arms()["six"].ensemble.backend is None


def test_an_ensemble_that_asks_nobody_takes_no_backend() -> None:
    found = arms(base={"backend": "s:1"}, grid={"ensemble": ["measured", "direct"]})
    assert (found["measured"].ensemble.backend, found["direct"].ensemble.backend) == (None, "s:1")


def test_seeds_of_repeats_lie_apart() -> None:
    arm = arms(seed=7)["six"]
    assert [arm.repeated(number).sampling.seed for number in range(3)] == [7, 1007, 2007]
    assert arms()["six"].repeated(2).sampling.seed is None
    own = arms(seed=7, base={"set": {"sampling": {"seed": 3}}})["six"]
    assert own.ensemble.sampling.seed == 3


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"arms": [{"name": "a", "set": {"fusion": {"quorom": 1}}}]}, "arm 'a': --set: there is no key"),
        ({"base": {"ensemble": "sixx"}}, "Did you mean"),
        ({"grid": {"strategy": ["vote"] * 2}}, "Two arms are called 'vote'"),
        ({"grid": {"backend": [f"s:{number}" for number in range(201)]}}, "more than 200 arms"),
    ],
)
def test_mistakes_are_one_line(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        arms(**settings)


def test_stages_of_ones_own_hold_for_chosen_paradigms_too() -> None:
    stages = [["regional"], ["commonsense"]]
    arm = {"name": "a", "ensemble": "six", "paradigms": ["regional", "commonsense"], "set": {"stages": stages}}
    assert arms(arms=[arm])["a"].ensemble.stages == (("regional",), ("commonsense",))
