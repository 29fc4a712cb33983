"""A model that really looks: an ensemble asks it about drawings that it has never seen, and every report must be right.

Once it runs in this process, and once in a server that others wrote.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from fusion.verdict import Verdict
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge
from tests.oracle.drawing import Drawing, draw_every

ENSEMBLE = str(Path(__file__).parent / "drawings.yaml")
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
    assert wrong(drawings, await judge_all(f"hf:{taught}", drawings)) == []


@pytest.mark.torch
@pytest.mark.peer
async def test_it_is_right_about_every_drawing_on_a_server_of_others(taught: Path, address: str) -> None:
    drawings = draw_every(3, Random("served"))
    assert wrong(drawings, await judge_all(f"compatible:{taught}@{address}", drawings)) == []
