"""What a `measure` step finds in the pixels, and the measurements that exist by name.

A measurement is a function, never a backend, and it never carries a label: pixel statistics do not tell generated
pictures from photographs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import PIL.Image
from pydantic import BaseModel, ConfigDict, Field

from paradigms.evidence import Evidence
from paradigms.region import Region
from paradigms.signals.repetition import find_repetition
from paradigms.signals.saliency import propose_regions


class Measurement(BaseModel):
    """The result of one measurement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    """The name it is registered by, such as `repetition`."""
    text: str = Field(min_length=1)
    """What was found, in one or two plain sentences."""
    evidence: tuple[Evidence, ...] = ()
    """What was observed; it points to neither side."""
    regions: tuple[Region, ...] = ()
    """Where to look up close, largest interest first."""


def measure_repetition(pixels: PIL.Image.Image) -> Measurement:
    """Look for exact mirroring and tiling in an upright RGB picture."""
    evidence = find_repetition(pixels)
    if not evidence:
        text = "No exact mirroring or tiling was found; this says nothing of how it was made."
    else:
        found = " ".join(item.phenomenon for item in evidence)
        text = f"{found} This is repeated content; it does not say how the picture was made."
    return Measurement(name="repetition", text=text, evidence=evidence)


def measure_regions(pixels: PIL.Image.Image) -> Measurement:
    """Propose where to look up close in an upright RGB picture."""
    proposal = propose_regions(pixels, count=2)
    if proposal.method == "centre":
        text = "No part stands out, so the middle is proposed for a closer look."
    else:
        text = f"Worth a closer look: {' and '.join(region.place for region in proposal.regions)}."
    return Measurement(name="regions", text=text, regions=proposal.regions)


MEASUREMENTS: Mapping[str, Callable[[PIL.Image.Image], Measurement]] = MappingProxyType(
    {"regions": measure_regions, "repetition": measure_repetition}
)
"""Every measurement by the name that a paradigm's `measure` step uses. Each takes the upright original in RGB."""
