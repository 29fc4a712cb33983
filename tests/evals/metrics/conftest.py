"""Small tables of judgments, made by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from evals.judgment import Judgment
from evals.metrics.columns import COSTS, Columns, Named
from paradigms.label import Label

_LABELS = {"g": Label.GENERATED, "r": Label.REAL, "u": Label.UNDECIDED, "e": None, "-": None}


def make(case: str, truth: str, label: str, score: float | None = None, **fields: Any) -> Judgment:
    """A judgment; labels are written g, r, u (undecided), e (error), and a truth may be - (unlabelled)."""
    fields.setdefault("arm", "six")
    if label == "u":
        fields.setdefault("undecided_because", "weak")
    if label == "e":
        fields.setdefault("error_kind", "ServerError")
    return Judgment(case=case, truth=_LABELS[truth], label=_LABELS[label], score=score, **fields)


@pytest.fixture(scope="session")
def judgment() -> Callable[..., Judgment]:
    """`make`."""
    return make


@pytest.fixture(scope="session")
def table() -> tuple[Judgment, ...]:
    """Ten cases, five of each side, with an undecided case on both and one error."""
    return (
        make("r1", "r", "r", -1.0),
        make("r2", "r", "r", -0.5),
        make("r3", "r", "r", -0.5),
        make("r4", "r", "g", 1.0),
        make("r5", "r", "u", 0.0),
        make("g1", "g", "g", 1.0, generator="A"),
        make("g2", "g", "g", 0.5, generator="A"),
        make("g3", "g", "r", -0.5, generator="B"),
        make("g4", "g", "u", 0.5, generator="B", undecided_because="conflict"),
        make("g5", "g", "e", generator="B"),
    )


def make_columns(
    truth: Sequence[int],
    called: Sequence[int],
    score: Sequence[float] | None = None,
    source: Sequence[int] | None = None,
) -> Columns:
    """Columns of cases without repeats."""
    n = len(truth)
    blank = np.full(n, np.nan)
    none = Named.of([None] * n)
    return Columns(
        arm="six",
        perturbation="none",
        case=Named(np.arange(n), tuple(f"c{row}" for row in range(n))),
        repeat=np.zeros(n, dtype=np.int64),
        truth=np.array(truth, dtype=np.int64),
        called=np.array(called, dtype=np.int64),
        score=blank if score is None else np.array(score, dtype=np.float64),
        p_generated=blank,
        source=none
        if source is None
        else Named(np.array(source), tuple(f"s{code}" for code in range(max(source) + 1))),
        generator=none,
        reason=none,
        error=none,
        votes={},
        costs=dict.fromkeys(COSTS, blank),
    )


@pytest.fixture(scope="session")
def columns() -> Callable[..., Columns]:
    """`make_columns`."""
    return make_columns
