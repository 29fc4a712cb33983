"""Drawn data sets, scripted voters and small experiments on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from evals.experiment import Experiment
from evals.journal import Key, key_of, read_judgments
from evals.plan import Plan, make_plan

SCRIPT = """
model: script-1
rules:
  - {{paradigm: prepare, text: "subject: small boat\\nmedium: photograph", seconds: {delay}}}
  - {{purpose: text, text: "a hull; a sail", seconds: {delay}}}
  - {{paradigm: regional, texts: ["Plain up close. Verdict: real", "Odd. Verdict: generated"], seconds: {delay}}}
  - {{texts: ["Odd. Verdict: generated", "Plain. Verdict: real", "Odd too. Verdict: generated"], seconds: {delay}}}
"""


def draw(path: Path, seed: int) -> Path:
    """A small picture that no other seed gives."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    PIL.Image.fromarray(pixels).resize((72, 72), PIL.Image.Resampling.NEAREST).save(path)
    return path


def draw_data(folder: Path, each: int = 3) -> Path:
    """So many pictures of either label, alike in all but their pixels."""
    for number in range(each):
        draw(folder / "real" / f"r{number}.png", number)
        draw(folder / "fake" / f"f{number}.png", 1000 + number)
    return folder


def script(folder: Path, text: str | None = None, delay: float = 0.0) -> str:
    """The spec of a scripted backend."""
    path = folder / "script.yaml"
    path.write_text(SCRIPT.format(delay=delay) if text is None else text, "utf-8")
    return f"scripted:{path}"


def experiment(folder: Path, **settings: Any) -> Experiment:
    """An experiment on the data drawn in `folder / "data"`; by default one arm, `direct`, on the script."""
    base = {"ensemble": "direct", "backend": f"scripted:{folder / 'script.yaml'}"}
    content = {"name": "trial", "data": {"path": "data"}, "base": base, "analysis": {"resamples": 100}}
    return Experiment.model_validate(content | settings)


def planned(folder: Path, each: int = 3, **settings: Any) -> Plan:
    """The plan of such an experiment, with its data and script made."""
    if not (folder / "data").exists():
        draw_data(folder / "data", each)
    if not (folder / "script.yaml").exists():
        script(folder)
    return make_plan(experiment(folder, **settings), folder)


Outcome = tuple[object, ...]


def outcomes(run: Path) -> dict[Key, Outcome]:
    """What came out of each task: the label and the votes."""
    found = read_judgments(run / "journal.jsonl")
    return {
        key_of(it): (it.label, it.truth, it.error, *((name, vote.label) for name, vote in sorted(it.votes.items())))
        for it in found
    }
