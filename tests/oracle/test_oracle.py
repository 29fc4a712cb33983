"""A model that really looks: an ensemble asks it about drawings that it has never seen, and every report must be right.

Once it runs in this process, and once in a server that others wrote.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from backends.local.model import LocalModel
from backends.shared import Shared
from fusion.verdict import Verdict
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge
from paradigms.label import Label
from tests.oracle.drawing import Drawing, draw_every

ENSEMBLE = str(Path(__file__).parent / "drawings.yaml")
SURE = 0.8
"""The least chance of the label that is read, for a model that was taught to answer so."""
FUSED = {("generated", "generated"): "generated", ("real", "real"): "real"}


async def judge_all(spec: str, drawings: list[Drawing], *settings: str) -> list[Verdict]:
    """Judge every drawing with the ensemble of this folder."""
    ensemble = load_ensemble(ENSEMBLE, Overrides(backend=spec, settings=("cache=false", "strict=true", *settings)))
    async with Judge(ensemble) as judge:
        return [await judge.judge(drawing.png) for drawing in drawings]


def wrong(drawings: list[Drawing], verdicts: list[Verdict]) -> list[str]:
    """What is not as it was drawn: the text or the label of a report, or the fused label."""
    found = []
    for drawing, verdict in zip(drawings, verdicts, strict=True):
        labels = {report.paradigm: str(report.label) for report in verdict.reports}
        meant = {name: drawing.label(name) for name in ("colour", "shape")}
        fused = FUSED.get((meant["colour"], meant["shape"]), "undecided")
        seen = {report.paradigm: report.text for report in verdict.reports}
        reasons = all(drawing.answer(name).partition("\n")[0] in seen[name] for name in meant)
        if labels != meant or str(verdict.label) != fused or not reasons:
            found.append(f"{drawing.ground}, {drawing.shape}: {labels}, {verdict.label}, {seen}")
    return found


@pytest.mark.torch
@pytest.mark.slow
async def test_it_is_right_about_every_drawing_in_this_process(taught: Path) -> None:
    drawings = draw_every(4, Random("in this process"))
    verdicts = await judge_all(f"hf:{taught}", drawings)
    assert wrong(drawings, verdicts) == []
    assert unsure(verdicts) == []


def unsure(verdicts: list[Verdict]) -> list[str]:
    """Reports with a label whose chance, out of the token probabilities of the model, does not go clearly with it."""
    found = []
    for report in (report for verdict in verdicts for report in verdict.reports):
        chance = {Label.GENERATED: report.p_generated, Label.REAL: 1 - (report.p_generated or 0)}.get(report.label)
        told = report.source == "logprobs" if chance is not None else report.p_generated is None
        if not told or (chance is not None and chance < SURE):
            found.append(f"{report.paradigm}: {report.label}, {report.p_generated}, {report.source}")
    return found


@pytest.mark.torch
@pytest.mark.slow
async def test_what_it_said_is_kept_and_given_again_without_its_weights(taught: Path, tmp_path: Path) -> None:
    drawings = draw_every(1, Random("kept"))
    ensemble = load_ensemble(ENSEMBLE, Overrides(backend=f"hf:{taught}", settings=("strict=true",)))
    verdicts: list[list[Verdict]] = []
    for loaded in (True, False):
        shared = Shared()
        async with Judge(ensemble, cache_path=tmp_path / "answers.sqlite", shared=shared) as judge:
            await judge.prepare()
            verdicts.append([await judge.judge(drawing.png) for drawing in drawings])
            assert [model.loaded for model in shared.held(LocalModel)] == [loaded]
    first, again = ([verdict.reports for verdict in several] for several in verdicts)
    assert [[report.label for report in reports] for reports in first] == [[r.label for r in each] for each in again]
    assert [[r.p_generated for r in each] for each in first] == [[r.p_generated for r in each] for each in again]
    assert {verdict.usage.calls for verdict in verdicts[1]} == {0}


@pytest.mark.torch
@pytest.mark.peer
async def test_it_is_right_about_every_drawing_on_a_server_of_others(taught: Path, address: str) -> None:
    drawings = draw_every(3, Random("served"))
    assert wrong(drawings, await judge_all(f"compatible:{taught}@{address}", drawings)) == []
