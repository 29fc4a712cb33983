"""One arm and one repeat of a run: what an engine performs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from backends.shared import Shared
from evals.arm import Arm
from evals.plan import Plan
from evals.task import Task


@dataclass(frozen=True, slots=True)
class Stretch:
    """The tasks of one arm and repeat that are still to do. `tasks` is read as room becomes free."""

    plan: Plan
    arm: Arm
    repeat: int
    tasks: Iterable[Task]
    cache_path: Path
    """The answers of this repeat; arms share it, so what two arms ask alike is asked once."""
    shared: Shared = field(default_factory=Shared)
    """Models loaded into this process, which the next arm may ask too."""
