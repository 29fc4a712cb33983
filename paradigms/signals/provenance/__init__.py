"""What a picture file says of its own origin: C2PA, EXIF, XMP, IPTC, text chunks and hidden texts."""

from paradigms.signals.provenance.read import read_provenance
from paradigms.signals.provenance.result import (
    Claim,
    ClaimKind,
    Declaration,
    Integrity,
    PrivateFields,
    Provenance,
    Signature,
    Strength,
    Trust,
)

__all__ = [
    "Claim",
    "ClaimKind",
    "Declaration",
    "Integrity",
    "PrivateFields",
    "Provenance",
    "Signature",
    "Strength",
    "Trust",
    "read_provenance",
]
