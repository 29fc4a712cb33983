"""Judges whether an image is a photograph or AI-generated, by six ways of looking fused into one explained verdict.

```python
import sixlens

verdict = sixlens.judge("photo.jpg")  # reads the file's own word and measures; asks no model
verdict = sixlens.judge("photo.jpg", backend="ollama:qwen2.5vl:7b")  # six examinations and a panel
print(verdict.headline)
```

Everything is loaded when it is first used, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sixlens import shadow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backends.errors import (
        BackendError,
        BudgetError,
        ConfigError,
        ImageError,
        InputError,
        NoVerdictError,
        ProgramError,
        SixlensError,
    )
    from backends.images.image import Image
    from backends.images.source import load_image
    from fusion.verdict import Basis, UndecidedBecause, Verdict
    from orchestrator.config import Overrides, load_ensemble
    from orchestrator.ensemble import Ensemble
    from orchestrator.judge import Decided, Judge, Judged, Prepared, Reported
    from paradigms.evidence import Evidence
    from paradigms.label import Label, Outcome
    from paradigms.region import Region
    from paradigms.report import Report
    from sixlens.api import JudgeOptions, ajudge, ajudge_many, astream, judge, judge_many, open_judge

    __version__: str

__all__ = [
    "BackendError",
    "Basis",
    "BudgetError",
    "ConfigError",
    "Decided",
    "Ensemble",
    "Evidence",
    "Image",
    "ImageError",
    "InputError",
    "Judge",
    "JudgeOptions",
    "Judged",
    "Label",
    "NoVerdictError",
    "Outcome",
    "Overrides",
    "Prepared",
    "ProgramError",
    "Region",
    "Report",
    "Reported",
    "SixlensError",
    "UndecidedBecause",
    "Verdict",
    "__version__",
    "ajudge",
    "ajudge_many",
    "astream",
    "judge",
    "judge_many",
    "load_ensemble",
    "load_image",
    "open_judge",
]

_WHERE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("BackendError", "BudgetError", "ConfigError", "ImageError", "InputError"), "backends.errors"),
        **dict.fromkeys(("NoVerdictError", "ProgramError", "SixlensError"), "backends.errors"),
        "Image": "backends.images.image",
        "load_image": "backends.images.source",
        **dict.fromkeys(("Basis", "UndecidedBecause", "Verdict"), "fusion.verdict"),
        **dict.fromkeys(("Overrides", "load_ensemble"), "orchestrator.config"),
        "Ensemble": "orchestrator.ensemble",
        **dict.fromkeys(("Decided", "Judge", "Judged", "Prepared", "Reported"), "orchestrator.judge"),
        "Evidence": "paradigms.evidence",
        **dict.fromkeys(("Label", "Outcome"), "paradigms.label"),
        "Region": "paradigms.region",
        "Report": "paradigms.report",
        **dict.fromkeys(("JudgeOptions", "ajudge", "ajudge_many", "astream"), "sixlens.api"),
        **dict.fromkeys(("judge", "judge_many", "open_judge"), "sixlens.api"),
    }
)
"""The module that each name comes from."""

shadow.refuse_shadows()


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("sixlens")
    if name not in _WHERE:
        raise AttributeError(f"module 'sixlens' has no attribute {name!r}")
    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
