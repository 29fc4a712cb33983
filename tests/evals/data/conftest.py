from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from evals.data.dataset import DataSet, load_dataset
from evals.data.spec import DataSpec

Draw = Callable[..., Path]


def drawing(seed: int, size: tuple[int, int] = (48, 32)) -> PIL.Image.Image:
    """A picture of coarse colours, another for each seed."""
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    return PIL.Image.fromarray(coarse).resize(size, PIL.Image.Resampling.BICUBIC)


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """Writes a drawing at a path below the temporary folder: `draw("real/a.png", seed=3, quality=80)`."""
    seeds = iter(range(1000, 100_000))

    def write(name: str, *, seed: int | None = None, size: tuple[int, int] = (48, 32), **options: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        drawing(next(seeds) if seed is None else seed, size).save(path, **options)
        return path

    return write


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., DataSet]:
    """Loads the data set in the temporary folder with further settings."""

    def loaded(**settings: Any) -> DataSet:
        given = settings if "hf" in settings else {"path": ".", **settings}
        return load_dataset(DataSpec.model_validate(given), tmp_path)

    return loaded
