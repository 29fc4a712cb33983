from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import yaml

from backends.errors import ConfigError, InputError
from evals.apart import keep_apart
from evals.calibrate.calibrate import CalibrateOptions, calibrate
from evals.calibrate.fitted_on import fitted_on
from evals.plan import Plan, make_plan
from fusion.calibration import FittedOn
from orchestrator.config import Overrides, load_ensemble
from tests.evals.drawn import draw, draw_data, experiment, planned
from tests.evals.simulated import RULES, correlated


def exemplars(folder: Path) -> None:
    """An ensemble that is shown two pictures of the data set, one of them as a smaller JPEG."""
    shown = folder / "shown"
    shown.mkdir()
    shutil.copy(folder / "data" / "real" / "r0.png", shown / "a.png")
    with PIL.Image.open(folder / "data" / "fake" / "f1.png") as picture:
        picture.resize((60, 60)).convert("RGB").save(shown / "b.jpg", quality=80)
    rows = [
        {"picture": "a.png", "label": "real", "reason": "Grain."},
        {"picture": "b.jpg", "label": "generated", "reason": "Six fingers."},
    ]
    (shown / "exemplars.yaml").write_text(yaml.safe_dump(rows), "utf-8")
    (folder / "shown.yaml").write_text(f"extends: six\nexemplars: {shown / 'exemplars.yaml'}\n", "utf-8")


def test_exemplars_among_the_data_are_refused_copies_too(tmp_path: Path) -> None:
    planned(tmp_path)
    exemplars(tmp_path)
    base = {"ensemble": "shown.yaml", "backend": "scripted:script.yaml"}
    with pytest.raises(ConfigError, match=r"2 cases are among the exemplars: .*r0.png.*Exclude them") as caught:
        planned(tmp_path, base=base)
    assert "fake/f1.png (a copy)" in str(caught.value)
    left = {"path": "data", "exclude": ["real/r0.png", "fake/f1.png"]}
    assert len(planned(tmp_path, base=base, data=left).data.items) == 4
    # Whoever is not shown any may judge them.
    assert planned(tmp_path, base={**base, "paradigms": ["commonsense"]}).size == 6


def calibrated(folder: Path, known: FittedOn) -> dict[str, Any]:
    """An arm whose fusion was fitted on some pictures."""
    result = calibrate(correlated(200), CalibrateOptions(name="mine", fitted_on=known), rules=RULES)
    (folder / "mine.yaml").write_text(result.yaml, "utf-8")
    settings = {"fusion": {"strategy": "log_odds", "calibration": "mine.yaml"}}
    return {"ensemble": "six", "backend": f"scripted:{folder / 'script.yaml'}", "set": settings}


def test_what_a_calibration_was_fitted_on_is_refused(tmp_path: Path) -> None:
    data = draw_data(tmp_path / "data")
    digest = hashlib.sha256((data / "real" / "r1.png").read_bytes()).hexdigest()
    base = calibrated(tmp_path, FittedOn(cases=(digest[:12],)))
    with pytest.raises(ConfigError, match=r"1 cases are among those that the calibration mine was fitted on: real/r1"):
        planned(tmp_path, base=base)
    assert planned(tmp_path, base=base, data={"path": "data", "exclude": "real/r1.png"}).warnings == ()


def test_a_calibration_that_names_no_pictures_is_warned_of(tmp_path: Path) -> None:
    (warning,) = planned(tmp_path, base=calibrated(tmp_path, FittedOn())).warnings
    assert warning.startswith("The calibration mine does not say which pictures it was fitted on")


def test_a_calibration_remembers_prompts_backends_and_pictures() -> None:
    reports = [
        {"paradigm": "p0", "outcome": "answered", "backend": "s:1", "prompt_version": "1+a"},
        {"paradigm": "p1", "outcome": "refused", "backend": "s:1", "prompt_version": "1+b"},
        {"paradigm": "p2", "outcome": "answered", "backend": None},
    ]
    other = [{**reports[0], "prompt_version": "2+a"}]
    votes = correlated(40)
    known = fitted_on(votes, [{"reports": reports}, {"reports": reports}], "six", "abc")
    assert {name: (it.prompt_version, it.backend) for name, it in known.paradigms.items()} == {"p0": ("1+a", "s:1")}
    assert len(known.cases) == len({it.sha256[:12] for it in votes})
    assert (known.ensemble, known.config_sha256) == ("six", "abc")
    mixed = fitted_on(votes, [{"reports": reports}, {"reports": other}])
    assert (mixed.paradigms["p0"].prompt_version, mixed.paradigms["p0"].backend) == (None, "s:1")


def leaking(folder: Path) -> Plan:
    for number in range(12):
        draw(folder / "data" / "fake" / f"{number}.png", number)
        draw(folder / "data" / "real" / f"{number}.jpg", 100 + number)
    return planned(folder)


def test_files_that_give_the_label_away_are_warned_of_with_their_auc(tmp_path: Path) -> None:
    plan = leaking(tmp_path)
    assert {"is PNG", "is JPEG"} <= {leak.feature for leak in plan.leaks}
    assert any("'is PNG' alone tells the labels apart with an AUC of 1.00" in line for line in plan.warnings)
    reencoded = make_plan(experiment(tmp_path, data={"path": "data", "reencode": {}}), tmp_path)
    assert not any(leak.reencoded for leak in reencoded.leaks)


def test_a_budget_in_dollars_needs_prices(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"budget.cost cannot be kept: the price of scripted:.* is unknown"):
        planned(tmp_path, budget={"cost": 1.0})
    assert planned(tmp_path, budget={"cost": 1.0}, base={"ensemble": "measured"}).size == 6


def test_no_pictures_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(InputError, match="there are no pictures"):
        planned(tmp_path)


def test_nothing_is_kept_apart_where_nothing_was_shown() -> None:
    assert list(keep_apart([], [load_ensemble("six", Overrides(backend="scripted:x.yaml"))])) == []
