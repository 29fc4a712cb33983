"""Names of programs, as files give them in fields made for it."""

from __future__ import annotations

import re

from paradigms.signals.provenance.result import Claim, ClaimKind, Strength

_GENERATORS = {
    "Adobe Firefly": r"adobe[ _]firefly",
    "ComfyUI": r"comfyui",
    "DALL·E": r"dall[·. -]?e\b",
    "Draw Things": r"draw things",
    "Easy Diffusion": r"easy diffusion",
    "Fooocus": r"fooocus",
    "Ideogram": r"ideogram",
    "InvokeAI": r"invoke-?ai",
    "Midjourney": r"midjourney",
    "NovelAI": r"novelai",
    "Stable Diffusion": r"stable[ -]?diffusion",
    "SwarmUI": r"swarmui",
}
_EDITORS = re.compile(
    r"acdsee|adobe|affinity|aperture|canva\b|capture one|corel|darktable|facetune|gimp|lightroom|luminar|meitu"
    r"|paint\.net|paint shop|photo ?filtre|photo ?scape|photopea|photoshop|picasa|picsart|pixelmator|polarr"
    r"|rawtherapee|remini|snapseed|topaz|vsco",
    re.IGNORECASE,
)
_SCREENSHOT = re.compile(r"screen ?shot|screen ?capture|\bspectacle\b|greenshot|flameshot|sharex", re.IGNORECASE)
_LONGEST = 500
"""A name is short: only so much of the text is looked at."""


def generator_named(text: str) -> str | None:
    """The generator that a field for a program's name names, if it is one we know."""
    head = text[:_LONGEST]
    return next((name for name, pattern in _GENERATORS.items() if re.search(pattern, head, re.IGNORECASE)), None)


def software_claim(where: str, text: str) -> Claim | None:
    """What a field for a program's name claims; None when it is empty.

    A name alone is weak: it says which program wrote the file, not what it did.
    """
    head = text[:_LONGEST].strip()
    if not head:
        return None
    tool = generator_named(head)
    kind = ClaimKind.GENERATED if tool else _other_kind(head)
    return Claim(kind=kind, where=where, tool=tool or head, text=head, strength=Strength.WEAK)


def comment_claim(where: str, text: str) -> Claim | None:
    """What a comment claims; None when it is empty.

    Programs sign their work there. People write there as well, so that the name of a generator says nothing.
    """
    head = text[:_LONGEST].strip()
    if not head:
        return None
    return Claim(kind=_other_kind(head), where=where, text=head, private=True, strength=Strength.WEAK)


def _other_kind(head: str) -> ClaimKind:
    if _SCREENSHOT.search(head):
        return ClaimKind.SCREENSHOT
    return ClaimKind.EDITED if _EDITORS.search(head) else ClaimKind.INFO
