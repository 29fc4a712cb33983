"""From claims to the one word."""

from __future__ import annotations

from paradigms.signals.provenance import comfyui, manifest
from paradigms.signals.provenance.findings import MAX_NOTES, Findings
from paradigms.signals.provenance.result import (
    Claim,
    ClaimKind,
    Declaration,
    Integrity,
    PrivateFields,
    Provenance,
    Strength,
)

UNSIGNED = "The declaration is not signed: anyone can write it, and anyone can remove it."
BESIDE_CAMERA = (
    "Camera data stands beside the unsigned declaration; the file alone does not say which of them is right."
)
ONLY_A_NAME = "A field names a program that generates pictures; a name alone declares nothing."
EASILY_COPIED = "Camera data is easily copied from another file."

_DECLARATIONS = {
    ClaimKind.GENERATED: Declaration.DECLARES_GENERATED,
    ClaimKind.AI_EDITED: Declaration.DECLARES_EDITED,
}
_AGAINST_CAMERA = (ClaimKind.EDITED, ClaimKind.SCREENSHOT)
_ORDER = {Strength.STRONG: 0, Strength.MEDIUM: 1}


def decide(found: Findings) -> Provenance:
    """The declaration that the claims come to, with its notes."""
    deciding = _deciding(found)
    signed = deciding is not None and _is_signed(deciding)
    declaration, tool, where = Declaration.NONE, None, None
    if deciding:
        declaration, tool, where = _DECLARATIONS[deciding.kind], deciding.tool, deciding.where
    elif _is_camera_file(found):
        declaration, tool, where = Declaration.CAMERA_FILE, found.device, "exif:Make"
    return Provenance(
        declaration=declaration,
        tool=tool,
        where=where,
        signed=signed,
        camera=found.camera,
        signature=found.signature,
        claims=tuple(found.claims),
        notes=(*found.notes, *_notes(found, declaration, where, signed))[:MAX_NOTES],
        private_fields=PrivateFields(gps=found.gps, serial_number=found.serial_number, owner_name=found.owner_name),
    )


def _deciding(found: Findings) -> Claim | None:
    """Signed before unsigned, strong before medium, and an edit before a whole: the milder word when both are said."""
    claims = [c for c in found.claims if c.kind in _DECLARATIONS and c.strength is not Strength.WEAK]
    ranked = sorted(claims, key=lambda c: (not _is_signed(c), _ORDER[c.strength], c.kind is not ClaimKind.AI_EDITED))
    return ranked[0] if ranked else None


def _is_signed(claim: Claim) -> bool:
    """Whether a claim stands in a manifest and everything that it rests on is intact."""
    return claim.where == manifest.WHERE and claim.strength is Strength.STRONG


def _is_camera_file(found: Findings) -> bool:
    against = any(c.kind in _AGAINST_CAMERA or c.kind in _DECLARATIONS for c in found.claims)
    intact = found.signature.integrity in (None, Integrity.OK)
    return found.camera and found.maker_note and intact and not against


def _notes(found: Findings, declaration: Declaration, where: str | None, signed: bool) -> list[str]:
    declares = declaration in _DECLARATIONS.values()
    facts = {
        comfyui.NOTE: any(comfyui.is_graph(c) for c in found.claims),
        UNSIGNED: declares and where != manifest.WHERE,
        BESIDE_CAMERA: declaration is Declaration.DECLARES_GENERATED and not signed and found.camera,
        ONLY_A_NAME: not declares and any(c.kind is ClaimKind.GENERATED for c in found.claims),
        EASILY_COPIED: declaration is Declaration.CAMERA_FILE,
    }
    return [note for note, holds in facts.items() if holds]
