"""A run with everything in it: arms, perturbations, repeats, words, regions and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evals.judgment import Judgment
from tests.evals.report.runs import VOTERS, G, R, U, draw_picture, report, setup_of, sign, simulated, verdict, write_run

WORDS = "The fingers of the left hand merge near the ring, and the light comes from two sides at once."


def full_run(folder: Path, cases: int = 120) -> Path:
    """The folder of the run; its pictures lie beside it."""
    data = folder.parent / "pictures"
    judgments: list[Judgment] = [
        *simulated("six", cases),
        *simulated("fitted", cases, seed=1),
        *simulated("direct question", cases, seed=2, drop=0.12),
        *simulated("six", cases, perturbation="jpeg_50", drop=0.05),
        *simulated("six", cases, perturbation="jpeg_30", drop=0.12),
        *simulated("six", cases, perturbation="blur_2", drop=0.1),
    ]
    # The six of `simulated` has no cost by repeat: asking again is another seed.
    judgments += [it.model_copy(update={"repeat": 1}) for it in simulated("six", cases, seed=5)]
    names = {"real": "real", "generated": "fake"}
    digests: dict[str, tuple[str, str]] = {}
    for place, it in enumerate(judgments[:cases]):
        side, file = it.case.split("/")
        case = f"{names[side]}/{file}"
        digests[it.case] = case, draw_picture(data / case, place, (240, 180) if place % 3 else (150, 220))
    moved = [it.model_copy(update={"case": digests[it.case][0], "sha256": digests[it.case][1]}) for it in judgments]
    setup = setup_of(
        data, ("six", "fitted", "direct question"), cases, perturbations=["none", "jpeg_50", "jpeg_30", "blur_2"]
    )
    return write_run(folder, moved, _verdict, setup)


def _verdict(judgment: Judgment) -> dict[str, Any]:
    signs = (
        sign("merged fingers", (0.2, 0.25, 0.45, 0.6)),
        sign("two light sources", (0.55, 0.1, 0.98, 0.4), paradigm="commonsense"),
        sign("sensor noise", (0.1, 0.7, 0.6, 0.95), "real", "structural"),
    )
    by_name: dict[str, tuple[Any, ...]] = {"regional": signs[:1], "commonsense": signs[1:2], "structural": signs[2:]}
    label = judgment.label or U
    reports = tuple(
        report(name, (label if label is not U else (G, R)[place % 2]), WORDS, *by_name.get(name, ()))
        for place, name in enumerate(VOTERS)
    )
    return verdict(label, reports, judgment.case)
