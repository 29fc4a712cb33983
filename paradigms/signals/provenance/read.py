"""From the bytes of a file to what it says of its own origin."""

from __future__ import annotations

from paradigms.signals.provenance import bmff, gif, jpeg, png, tiff, webp
from paradigms.signals.provenance.container import Container, TextField
from paradigms.signals.provenance.decide import decide
from paradigms.signals.provenance.exif import read_exif
from paradigms.signals.provenance.findings import Findings
from paradigms.signals.provenance.iptc import iptc_within, read_iptc
from paradigms.signals.provenance.manifest import read_manifest
from paradigms.signals.provenance.parameters import mapping_claim, read_text
from paradigms.signals.provenance.result import Claim, ClaimKind, Provenance, Strength
from paradigms.signals.provenance.software import comment_claim, generator_named, software_claim
from paradigms.signals.provenance.stealth import read_stealth
from paradigms.signals.provenance.xmp import read_xmp

_PROGRAM_KEYWORDS = ("software", "creator tool", "creator_tool")
_HINT_KEYWORDS = (*_PROGRAM_KEYWORDS, "source", "title")
_COMMENT_KEYWORDS = ("", "comment")
_OWNER_KEYWORDS = ("author", "artist")
_XMP_TAG, _IPTC_TAG, _PHOTOSHOP_TAG, _MANIFEST_TAG = 700, 33723, 34377, 52545


def read_provenance(data: bytes) -> Provenance:
    """What a picture file says of its own origin.

    A pure function of the original bytes. It never raises, whatever the bytes are, fetches nothing, and reads no more
    than 4 MB of any piece of metadata.

    Args:
        data: the whole file, as it was received.

    Returns:
        The declaration with what it rests on. Bytes that are no picture come out as `none`.

    """
    container = _open(data)
    found = Findings(notes=list(container.notes))
    if container.manifest:
        found.add(read_manifest(data, container.media_type))
    found.add(read_exif(container.exif))
    for packet in container.xmp:
        found.add(read_xmp(packet))
    found.add(read_iptc(container.iptc or iptc_within(container.photoshop)))
    found.add(_read_texts(container))
    found.add(_read_hidden(data, container.media_type))
    return decide(found)


def _open(data: bytes) -> Container:
    """The metadata of a file, by its first bytes: its name may lie."""
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.read_jpeg(data)
    if data.startswith(png.SIGNATURE):
        return png.read_png(data)
    if webp.is_webp(data):
        return webp.read_webp(data)
    if data.startswith(gif.SIGNATURES):
        return gif.read_gif(data)
    if bmff.is_bmff(data):
        return bmff.read_bmff(data)
    return _open_tiff(data)


def _open_tiff(data: bytes) -> Container:
    found = Container(media_type="image/tiff")
    structure = tiff.read_tiff(data)
    if structure is None:
        return Container()
    found.exif = data
    found.manifest = _MANIFEST_TAG in structure.main
    found.iptc = structure.raw(structure.main, _IPTC_TAG)
    found.photoshop = structure.raw(structure.main, _PHOTOSHOP_TAG)
    if _XMP_TAG in structure.main:
        found.add_xmp(structure.raw(structure.main, _XMP_TAG))
    return found


def _read_texts(container: Container) -> Findings:
    found = Findings()
    named = (generator_named(f.text) for f in container.texts if f.keyword.lower() in _HINT_KEYWORDS)
    hint = next((name for name in named if name), None)
    if any(field.keyword == "fooocus_scheme" for field in container.texts):
        hint = hint or "Fooocus"
    for field in container.texts:
        found.claims += _field_claims(field, hint)
        found.owner_name |= field.keyword.lower() in _OWNER_KEYWORDS and bool(field.text.strip())
    if not any(claim.strength is not Strength.WEAK for claim in found.claims):
        single = {field.keyword: field.text for field in container.texts if not field.text.startswith("{")}
        claim = mapping_claim("png:text", single, hint)
        found.claims += [claim] if claim else []
    return found


def _field_claims(field: TextField, hint: str | None) -> list[Claim]:
    claims = read_text(field.where, field.text, hint)
    if field.keyword.lower() in _PROGRAM_KEYWORDS:
        claim = software_claim(field.where, field.text)
    elif field.keyword.lower() in _COMMENT_KEYWORDS and not claims:
        claim = comment_claim(field.where, field.text)
    else:
        claim = None
    return [*claims, claim] if claim else claims


def _read_hidden(data: bytes, media_type: str) -> Findings:
    hidden = read_stealth(data, media_type)
    if hidden is None:
        return Findings()
    claims = read_text(hidden.where, hidden.text)
    if not claims:
        claims = [
            Claim(kind=ClaimKind.INFO, where=hidden.where, text=hidden.text, private=True, strength=Strength.WEAK)
        ]
    return Findings(claims=claims)
