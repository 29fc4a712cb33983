from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import yaml

from backends.errors import ConfigError, InputError
from backends.images.likeness import likeness
from backends.images.source import load_image
from evals.apart import keep_apart
from evals.calibrate.calibrate import CalibrateOptions, calibrate
from evals.calibrate.fitted_on import MOST_CASES, MOST_LOOKS, fitted_on
from evals.judgment import Judgment
from evals.plan import Plan, make_plan
from fusion.calibration import FittedOn, read_calibration
from fusion.remembered import DIGEST, LOOK, digest_of, look_of, packed
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
    known = remembered(data / "real" / "r1.png")
    base = calibrated(tmp_path, known)
    said = r"1 cases are among those that the calibration mine was fitted on: real/r1.png \(the same file\)\."
    with pytest.raises(ConfigError, match=said):
        planned(tmp_path, base=base)
    rest = {"path": "data", "exclude": "real/r1.png"}
    assert planned(tmp_path, base=base, data=rest).warnings == ()
    with PIL.Image.open(data / "real" / "r1.png") as picture:
        picture.resize((60, 60)).convert("RGB").save(data / "real" / "again.jpg", quality=80)
    with pytest.raises(ConfigError, match=r"1 cases .*: real/again.jpg \(a copy\)\."):
        planned(tmp_path, base=base, data=rest)


@pytest.mark.parametrize("many", [True, False])
def test_copies_that_nobody_looks_for_are_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: bool
) -> None:
    known = remembered(draw(tmp_path / "elsewhere.png", 99))
    if many:
        monkeypatch.setattr("evals.apart.MOST_DECODED", 5)
    else:
        known = known.model_copy(update={"looks": ""})
    (warning,) = planned(tmp_path, base=calibrated(tmp_path, known)).warnings
    assert "nobody looks for copies of them that were saved again" in warning


def remembered(path: Path) -> FittedOn:
    """A fit on one picture."""
    with load_image(path) as image:
        bits = likeness(image.pixels())
        assert bits is not None
        return FittedOn(cases=packed([digest_of(image.sha256)]), looks=packed([look_of(bits)]))


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
    votes = [seen(it, number) for number, it in enumerate(correlated(40))]
    known = fitted_on(votes, [{"reports": reports}, {"reports": reports}], "six", "abc")
    assert {name: (it.prompt_version, it.backend) for name, it in known.paradigms.items()} == {"p0": ("1+a", "s:1")}
    assert known.digests == {digest_of(it.sha256) for it in votes}
    assert known.looks == packed({bytes.fromhex(it.likeness or "") for it in votes})
    assert (known.ensemble, known.config_sha256) == ("six", "abc")
    mixed = fitted_on(votes, [{"reports": reports}, {"reports": other}])
    assert (mixed.paradigms["p0"].prompt_version, mixed.paradigms["p0"].backend) == (None, "s:1")


def seen(judged: Judgment, number: int) -> Judgment:
    """A judgment that says which picture it is of."""
    digest = hashlib.sha256(judged.case.encode()).hexdigest()
    return judged.model_copy(update={"sha256": digest, "likeness": f"{number:032x}"})


def test_what_is_too_much_for_a_calibration_file_is_not_half_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    votes = [seen(it, number) for number, it in enumerate(correlated(40))]
    monkeypatch.setattr("evals.calibrate.fitted_on.MOST_LOOKS", 39)
    known = fitted_on(votes, [])
    assert (len(known.digests), known.looks) == (40, "")
    monkeypatch.setattr("evals.calibrate.fitted_on.MOST_CASES", 39)
    assert fitted_on(votes, []).cases == ""


def test_a_calibration_file_with_all_that_it_may_remember_can_be_read(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    cases, looks = (
        packed(random.bytes(size) for _ in range(most)) for size, most in ((DIGEST, MOST_CASES), (LOOK, MOST_LOOKS))
    )
    calibrated(tmp_path, FittedOn(cases=cases, looks=looks))
    assert len(read_calibration(tmp_path / "mine.yaml").fitted_on.digests) == MOST_CASES


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
