"""The label that Chinese law asks of services (GB 45438-2025), a JSON object named `AIGC`."""

from __future__ import annotations

from paradigms.signals.provenance.result import Claim, ClaimKind, Strength
from paradigms.signals.provenance.text import load_json, word

_DECLARED = "1"
"""2 and 3 mean that a platform supposes or suspects it, which declares nothing."""


def aigc_claim(where: str, value: object) -> Claim | None:
    """What the label claims; None when `value` is none: an object with `Label`, or its JSON text."""
    label = load_json(value) if isinstance(value, str) else value
    if not isinstance(label, dict) or "Label" not in label or "ContentProducer" not in label:
        return None
    number = word(label["Label"])
    declared = number == _DECLARED
    return Claim(
        kind=ClaimKind.GENERATED if declared else ClaimKind.INFO,
        where=where,
        text=f"AIGC label {number[:8]}, producer {word(label['ContentProducer'])}",
        strength=Strength.STRONG if declared else Strength.WEAK,
    )
