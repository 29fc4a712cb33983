from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import PIL.Image
import pytest
import yaml

from evals.experiment import Experiment
from evals.plan import Plan, make_plan

SAYS = [
    json.dumps({"reasoning": f"It looks {label}.", "observations": [], "label": label, "certainty": certainty})
    for label, certainty in (("generated", 90), ("real", 70), ("real", 85), ("generated", 60), ("undecided", None))
]
MakePlan = Callable[..., Plan]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakePlan:
    """Makes the plan of an experiment on drawn pictures, whose script says something else of each."""
    if importlib.util.find_spec("ray") is None:  # to import it is the engine's business
        pytest.skip("ray is not installed")
    monkeypatch.chdir(tmp_path)

    def make(engine: str, cases: int = 12, seconds: float = 0.0, **settings: Any) -> Plan:
        _draw(tmp_path / "data", cases)
        rules = [
            {"paradigm": "prepare", "text": "subject: small boat\nmedium: photograph"},
            {"purpose": "text", "text": "a hull; a sail"},
            {"texts": SAYS, "seconds": seconds, "usage": {"input_tokens": 100, "output_tokens": 10}},
        ]
        (tmp_path / "script.yaml").write_text(yaml.safe_dump({"rules": rules}), "utf-8")
        base = {"ensemble": "direct", "backend": "scripted:script.yaml"}
        data = {"name": "boats", "data": {"path": "data"}, "base": base, "engine": engine, "ray": {"batch": 5}}
        return make_plan(Experiment.model_validate({**data, **settings}), Path())

    return make


def _draw(folder: Path, cases: int) -> None:
    for place in range(cases):
        path = folder / ("real" if place % 2 else "generated") / f"{place:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = numpy.random.default_rng(place).integers(0, 256, (24, 32, 3), dtype=numpy.uint8)
        PIL.Image.fromarray(pixels).save(path)
