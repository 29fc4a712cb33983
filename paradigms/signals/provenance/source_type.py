"""The terms by which C2PA and IPTC name a picture's digital source."""

from __future__ import annotations

from paradigms.signals.provenance.result import ClaimKind

_KINDS = {
    "trainedalgorithmicmedia": ClaimKind.GENERATED,
    "trainedalgorithmicdata": ClaimKind.GENERATED,
    "compositewithtrainedalgorithmicmedia": ClaimKind.AI_EDITED,
    "digitalcapture": ClaimKind.CAMERA,
    "computationalcapture": ClaimKind.CAMERA,
    "screencapture": ClaimKind.SCREENSHOT,
    "humanedits": ClaimKind.EDITED,
    "minorhumanedits": ClaimKind.EDITED,
}
"""`algorithmicMedia` is left out: it is computed, but by no trained model."""


def source_term(value: str) -> str:
    """The term at the end of a source type, which is given as an address or by itself."""
    return value.strip().rstrip("/").rpartition("/")[2]


def source_kind(value: str) -> ClaimKind:
    """What a source type claims; `info` when it claims nothing of AI, camera, screen or editor."""
    return _KINDS.get(source_term(value).lower(), ClaimKind.INFO)
