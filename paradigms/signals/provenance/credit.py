"""Credit lines that services write by rule."""

from __future__ import annotations

from paradigms.signals.provenance.result import Claim, ClaimKind

_CREDITS = {
    "made with google ai": (ClaimKind.GENERATED, "Google AI"),
    "edited with google ai": (ClaimKind.AI_EDITED, "Google AI"),
    "apple image playground": (ClaimKind.GENERATED, "Apple Image Playground"),
    "edited with apple photos clean up": (ClaimKind.AI_EDITED, "Apple Photos Clean Up"),
}


def credit_claim(where: str, value: str) -> Claim | None:
    """What a credit line claims when it is, as a whole, one that a service writes; else None."""
    known = _CREDITS.get(value[:200].strip().rstrip(".").lower())
    return Claim(kind=known[0], where=where, tool=known[1], text=value) if known else None
