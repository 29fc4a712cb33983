"""XMP packets: source type, program, credit, label."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from paradigms.signals.provenance.aigc import aigc_claim
from paradigms.signals.provenance.credit import credit_claim
from paradigms.signals.provenance.findings import Findings
from paradigms.signals.provenance.parameters import read_text
from paradigms.signals.provenance.result import Claim, ClaimKind, Strength
from paradigms.signals.provenance.software import software_claim
from paradigms.signals.provenance.source_type import source_kind, source_term

UNREADABLE = "An XMP packet could not be read."
REMOTE = "The file points to a manifest elsewhere on the network; it was not fetched."
MAX_PACKET = 1024 * 1024
MAX_PROPERTIES = 20_000

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_DC = "http://purl.org/dc/elements/1.1/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_EXIF_EX = "http://cipa.jp/exif/1.0/"
_AUX = "http://ns.adobe.com/exif/1.0/aux/"
_AIGC = "http://www.tc260.org.cn/ns/AIGC/1.0/"
_TERMS = "http://purl.org/dc/terms/"
_EVENT = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"

_SOURCE_TYPES = {(_IPTC_EXT, "digitalsourcetype"), (_IPTC_EXT, "digitalsourcefiletype")}
_PROGRAMS = {(_XMP, "creatortool"): "CreatorTool", (_EVENT, "softwareagent"): "History"}
_CREDITS = {(_PHOTOSHOP, "credit"): "Credit", (_PHOTOSHOP, "instructions"): "Instructions"}
_FREE_TEXTS = {(_DC, "description"): "description", (_EXIF, "usercomment"): "UserComment"}
_SYSTEM = (_IPTC_EXT, "aisystemused")
_GPS = {(_EXIF, "gpslatitude")}
_SERIALS = {(_AUX, "serialnumber"), (_AUX, "lensserialnumber"), (_EXIF_EX, "bodyserialnumber")}
_OWNERS = {(_AUX, "ownername"), (_EXIF_EX, "cameraownername"), (_DC, "creator")}

Property = tuple[tuple[str, str], str]
"""Namespace and lower-case name, and value."""


def read_xmp(packet: bytes) -> Findings:
    """Claims of one packet, and which private fields it has."""
    root = _parse(packet)
    if root is None:
        return Findings(notes=[UNREADABLE])
    found = Findings()
    for name, value in _properties(root):
        claim = _claim(name, value)
        if claim and claim not in found.claims:
            found.claims.append(claim)
        elif name in _FREE_TEXTS:
            found.claims += read_text(f"xmp:{_FREE_TEXTS[name]}", value)
        found.gps |= name in _GPS
        found.serial_number |= name in _SERIALS
        found.owner_name |= name in _OWNERS
        if name == (_TERMS, "provenance"):
            found.notes = [REMOTE]
    return found


def _parse(packet: bytes) -> Element | None:
    start, end = packet.find(b"<"), packet.rfind(b">")
    if start < 0 or end - start > MAX_PACKET:
        return None
    try:
        root = fromstring(packet[start : end + 1], forbid_dtd=True)
    except (ParseError, ValueError, LookupError):
        return None
    return root if isinstance(root, Element) else None


def _properties(root: Element) -> Iterator[Property]:
    """Every property with a value, whether written as an attribute, an element, a link or a list."""
    left = MAX_PROPERTIES
    for element in root.iter():
        left -= 1 + len(element.attrib)
        if left < 0:
            return
        for key, value in element.attrib.items():
            yield _name(key), value
        for value in _values(element):
            yield _name(element.tag), value


def _values(element: Element) -> list[str]:
    linked = element.get(f"{{{_RDF}}}resource")
    texts = [linked, element.text]
    if len(element) == 1 and element[0].tag.startswith(f"{{{_RDF}}}"):
        texts += [item.text for item in list(element[0])[:64]]
    return [text.strip() for text in texts if text and text.strip()]


def _name(key: object) -> tuple[str, str]:
    space, _, name = str(key).removeprefix("{").rpartition("}")
    return space, name.lower()


def _claim(name: tuple[str, str], value: str) -> Claim | None:
    if name in _SOURCE_TYPES:
        kind = source_kind(value)
        strength = Strength.STRONG if kind in (ClaimKind.GENERATED, ClaimKind.AI_EDITED) else Strength.WEAK
        return Claim(kind=kind, where="xmp:DigitalSourceType", text=source_term(value), strength=strength)
    if name in _PROGRAMS:
        return software_claim(f"xmp:{_PROGRAMS[name]}", value)
    if name in _CREDITS:
        return credit_claim(f"xmp:{_CREDITS[name]}", value)
    if name == _SYSTEM:
        return Claim(kind=ClaimKind.INFO, where="xmp:AISystemUsed", tool=value, text=value, strength=Strength.WEAK)
    if name == (_EXIF, "usercomment") and value.lower() == "screenshot":
        return Claim(kind=ClaimKind.SCREENSHOT, where="xmp:UserComment", text=value)
    return aigc_claim("xmp:AIGC", value) if name == (_AIGC, "aigc") else None
