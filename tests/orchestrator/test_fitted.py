"""Ensembles with a calibration, and with members that give scores."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from backends.errors import ConfigError, NoVerdictError
from backends.images.source import load_image
from backends.providers.function import FunctionBackend
from evals.calibrate.fitted_on import fitted_on
from evals.judgment import votes_of
from fusion.verdict import Verdict
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge
from orchestrator.kit import identity_of
from orchestrator.plan import plan_case
from paradigms.label import Cause, Label, Outcome
from tests.fusion.conftest import calibration

from .conftest import SPEC, Toy

MEMBERS: dict[str, Any] = {
    "commonsense": {"generated": 2.0, "real": -2.0},
    "detector": {"score": {"center": 0.5, "scale": 0.25, "weight": 1.0}},
}
ENSEMBLE: dict[str, Any] = {
    "extends": "defaults",
    "paradigms": {"commonsense": {}, "detector": {"kind": "score", "file": "scores.csv"}},
    "fusion": {"strategy": "log_odds", "calibration": "fitted/c.yaml"},
}


def write(folder: Path, data: dict[str, Any] = ENSEMBLE, scores: str = "case,score\n", **fields: Any) -> str:
    """An ensemble's file with its calibration and its scores."""
    (folder / "fitted").mkdir(exist_ok=True)
    made = calibration(**{"members": MEMBERS, "minimum": 1, **fields})
    (folder / "fitted" / "c.yaml").write_text(made.to_yaml(), "utf-8")
    (folder / "scores.csv").write_text(scores, "utf-8")
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(data), "utf-8")
    return str(path)


def judge(file: str, toy: Toy, *settings: str) -> Judge:
    always = ("cache=false", "strict=true", "retry.attempts=1", *settings)
    return Judge(
        load_ensemble(file, Overrides(backend=SPEC, settings=always)), backends={SPEC: FunctionBackend(toy, SPEC)}
    )


async def verdict(file: str, picture: bytes, toy: Toy | None = None, *settings: str) -> Verdict:
    async with judge(file, toy or Toy(label="generated"), *settings) as made:
        return await made.judge(picture)


def known(picture: bytes, value: float) -> str:
    return f"sha256,score\n{hashlib.sha256(picture).hexdigest()},{value}\n"


async def test_weights_decide_alone(tmp_path: Path, picture: bytes) -> None:
    toy = Toy(label="generated")
    found = await verdict(write(tmp_path, scores=known(picture, 1.0)), picture, toy)
    assert (found.label, found.p_generated) == (Label.GENERATED, pytest.approx(0.982, abs=1e-4))
    assert found.calibration is not None
    assert found.calibration.name == "toy"
    assert found.panel is None
    assert "panel.verdict" not in toy.asked
    assert "Weighed by a calibration" in found.headline
    detector = found.reports[1]
    assert (detector.score, detector.label, detector.vote) == (1.0, Label.UNDECIDED, None)
    assert (found.votes.generated, found.votes.undecided) == (1, 0)
    assert found.coverage.answered == 2


async def test_without_a_score_there_is_less_evidence(tmp_path: Path, picture: bytes) -> None:
    found = await verdict(write(tmp_path), picture)
    assert (found.label, found.undecided_because) == (Label.UNDECIDED, "weak")
    assert found.p_generated == pytest.approx(0.8808, abs=1e-4)
    assert (found.reports[1].outcome, found.reports[1].cause) == (Outcome.SKIPPED, Cause.LACKING)


async def test_a_score_stands_in_the_record_of_votes_without_eyes(tmp_path: Path, picture: bytes) -> None:
    votes = votes_of(await verdict(write(tmp_path, scores=known(picture, 1.0)), picture))
    assert (votes["detector"].score, votes["detector"].eyes, votes["detector"].cast) == (1.0, False, None)
    assert (votes["commonsense"].score, votes["commonsense"].cast) == (None, Label.GENERATED)


async def test_in_a_vote_a_score_is_nobody(tmp_path: Path, picture: bytes) -> None:
    file = write(tmp_path, ENSEMBLE | {"fusion": {"strategy": "tally", "quorum": 1}}, known(picture, -50.0))
    found = await verdict(file, picture)
    assert (found.label, found.p_generated) == (Label.GENERATED, None)
    assert "1 of 1 examinations" in found.headline


async def test_when_no_model_answers_a_score_is_still_heard_by_a_fit_alone(tmp_path: Path, picture: bytes) -> None:
    down = Toy({"commonsense": ConfigError("down")})
    found = await verdict(write(tmp_path, scores=known(picture, 5.0)), picture, down)
    assert (found.label, found.votes.answered) == (Label.GENERATED, 0)
    with pytest.raises(NoVerdictError):
        await verdict(str(tmp_path / "mine.yaml"), picture, down, "fusion.strategy=tally")


async def test_scores_alone_need_no_model(tmp_path: Path, picture: bytes) -> None:
    data = {**ENSEMBLE, "ask": False, "paradigms": {"detector": {"kind": "score", "file": "scores.csv"}}}
    members = {"detector": MEMBERS["detector"]}
    ensemble = load_ensemble(write(tmp_path, data, known(picture, 5.0), members=members))
    async with Judge(ensemble) as made:
        found = await made.judge(picture)
    assert (found.label, found.basis) == (Label.GENERATED, "seen")
    assert (await plan_case(ensemble)).calls == ()


async def test_a_changed_copy_does_not_get_the_score_of_its_original(tmp_path: Path, picture: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(picture)
    file = write(tmp_path, scores="case,score\na.png,5.0\n")
    original = load_image(path)
    copy = original.replaced(picture + b"\0", "changed")
    async with judge(file, Toy()) as made:
        scores = [(await made.judge(image)).reports[1].score for image in (original, copy)]
    assert scores == [5.0, None]


async def test_variants_without_the_score_that_is_weighed_say_nothing_of_stability(
    tmp_path: Path, picture: bytes
) -> None:
    found = await verdict(write(tmp_path, scores=known(picture, 1.0)), picture, None, "stability=2")
    assert found.label is Label.GENERATED
    assert found.stability is not None
    assert (found.stability.stable, found.stability.flipped_by) == (None, ())
    assert found.stability.variants[0].error == "the score of detector, which is weighed, is not known for it"


async def test_another_calibration_and_other_scores_are_another_configuration(tmp_path: Path) -> None:
    def identity(file: str, *settings: str) -> str:
        return identity_of(load_ensemble(file, Overrides(backend=SPEC, settings=settings)))

    first = identity(write(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    assert identity(write(tmp_path / "elsewhere")) == first
    assert identity(write(tmp_path, prior=0.4)) != first
    assert identity(write(tmp_path, scores="case,score\nb,1\n")) != first
    assert identity(write(tmp_path)) == first


async def test_a_rehearsal_asks_no_score_and_opens_no_panel(tmp_path: Path) -> None:
    plan = await plan_case(load_ensemble(write(tmp_path), Overrides(backend=SPEC)))
    assert [call.paradigm for call in plan.calls] == ["commonsense"]
    assert plan.problems == ()


async def test_what_is_fitted_on_an_ensemble_fits_it_without_a_warning(tmp_path: Path, picture: bytes) -> None:
    scores = known(picture, 1.0)
    fitted_with = await verdict(write(tmp_path, scores=scores), picture)
    remembered = fitted_on((), [fitted_with.model_dump(mode="json")])
    assert remembered.paradigms["commonsense"].backend == SPEC
    same = await verdict(write(tmp_path, scores=scores, fitted_on=remembered), picture)
    assert not any("fitted on other examinations" in line for line in same.warnings)
    other = remembered.model_dump() | {"paradigms": {"commonsense": {"prompt_version": "0+0"}}}
    changed = await verdict(write(tmp_path, scores=scores, fitted_on=other), picture)
    assert any("fitted on other examinations (commonsense: prompt" in line for line in changed.warnings)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fusion": {"strategy": "log_odds"}}, "name its file as `fusion.calibration`"),
        ({"fusion": {"strategy": "stacked", "calibration": "fitted/c.yaml"}}, "was fitted for 'log_odds'"),
        ({"fusion": {"strategy": "log_odds", "calibration": "none.yaml"}}, "No such file"),
        ({"fusion": {"strategy": "log_odds", "calibration": "scores.csv"}}, "scores.csv"),
        ({"paradigms": {"d": {"kind": "score", "file": "none.csv"}}}, "No such file"),
        ({"paradigms": {"d": {"kind": "score"}}}, "needs either `file` or `url`"),
        ({"paradigms": {"d": {"kind": "score", "file": "a.csv", "url": "http://127.0.0.1/"}}}, "either"),
        ({"paradigms": {"d": {"kind": "score", "url": "http://example.org/s"}}}, "say `hosted: true`"),
        ({"paradigms": {"d": {"kind": "score", "url": "ftp://127.0.0.1/"}}}, "must begin with http"),
        ({"paradigms": {"d": {"kind": "score", "url": "http://127.0.0.1/", "backend": "x:y"}}}, "asks no backend"),
        ({"paradigms": {"d": {"url": "http://127.0.0.1/"}}}, "belong to a member of `kind: score`"),
        ({"paradigms": {"d": {"kind": "score", "file": "scores.csv", "hosted": True}}}, "`hosted` goes with `url`"),
        ({"ask": False, "paradigms": {"d": {"kind": "score", "url": "https://e.org/", "hosted": True}}}, "ask: false"),
    ],
)
async def test_mistakes_are_one_line(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    file = write(tmp_path, {**ENSEMBLE, **change})
    with pytest.raises(ConfigError) as caught:
        await opened(file)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


async def opened(file: str) -> None:
    ensemble = load_ensemble(file).model_copy(update={"backend": SPEC})
    async with Judge(ensemble, backends={SPEC: FunctionBackend(Toy(), SPEC)}):
        pass


async def test_a_rehearsal_finds_the_same_mistakes(tmp_path: Path) -> None:
    file = write(tmp_path, scores="case,score\na,much\n")
    with pytest.raises(ConfigError, match="line 2: `score` is a number"):
        await plan_case(load_ensemble(file))
    with pytest.raises(ConfigError, match="was fitted for"):
        await plan_case(load_ensemble(write(tmp_path), Overrides(fusion="stacked")))


def test_how_a_backend_is_reached_is_no_other_configuration() -> None:
    def identity(*settings: str) -> str:
        own = tuple(f"backends={{'{SPEC}': {{{each}}}}}" for each in settings)
        return identity_of(load_ensemble("six", Overrides(backend=SPEC, settings=own)))

    plain = identity()
    for reached in ("attempt_seconds: 5", "max_connections: 2", "remote: a.org", "key_variable: SIXLENS_ACME_KEY"):
        assert identity(reached) == plain
    assert identity("extra: {reasoning_effort: none}") != plain
    assert identity("capabilities: {json_schema: false}") != plain
