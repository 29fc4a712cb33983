"""EXIF: what a camera wrote, and what generators put in its place."""

from __future__ import annotations

from paradigms.signals.provenance.findings import Findings
from paradigms.signals.provenance.parameters import read_text
from paradigms.signals.provenance.result import Claim, ClaimKind, Strength
from paradigms.signals.provenance.software import generator_named, software_claim
from paradigms.signals.provenance.text import decode_user_comment, decode_utf16
from paradigms.signals.provenance.tiff import Tiff, read_tiff

_MAKE, _MODEL, _SOFTWARE, _ARTIST = 0x010F, 0x0110, 0x0131, 0x013B
_TEXTS = {0x010D: "DocumentName", 0x010E: "ImageDescription", _MAKE: "Make", _MODEL: "Model"}
_WIDE_TEXTS = {0x9C9B: "XPTitle", 0x9C9C: "XPComment", 0x9C9E: "XPKeywords", 0x9C9F: "XPSubject"}
_USER_COMMENT, _MAKER_NOTE = 0x9286, 0x927C
_EXPOSURE = ((0x829A, 0x9201), (0x829D, 0x9202), (0x8827, 0x8833), (0x920A,))
"""Exposure time, aperture, sensitivity and focal length, each in the tags that may hold it."""
_EXPOSURE_NEEDED = 3
_OWNERS = (0xA430,)
_MAIN_OWNERS = (_ARTIST, 0x9C9D)
_SERIALS = (0xA431, 0xA435)
_MAIN_SERIALS = (0xC62F,)
_LATITUDE = 2
_LONGEST_DEVICE = 60


def read_exif(payload: bytes) -> Findings:
    """Claims of texts, program and camera, and which private fields there are."""
    found = Findings()
    tiff = read_tiff(payload)
    if tiff is None:
        return found
    software = tiff.text(tiff.main, _SOFTWARE)
    for where, text in _texts(tiff):
        found.claims += _text_claims(where, text, generator_named(software))
    claim = software_claim("exif:Software", software)
    found.claims += [claim] if claim else []
    _read_camera(tiff, found)
    found.gps = _LATITUDE in tiff.gps
    found.serial_number = _any_text(tiff, tiff.exif, _SERIALS) or _any_text(tiff, tiff.main, _MAIN_SERIALS)
    found.owner_name = _any_text(tiff, tiff.exif, _OWNERS) or _any_text(tiff, tiff.main, _MAIN_OWNERS)
    return found


def _texts(tiff: Tiff) -> list[tuple[str, str]]:
    plain = [(name, tiff.text(tiff.main, tag)) for tag, name in _TEXTS.items()]
    wide = [(name, decode_utf16(tiff.raw(tiff.main, tag), big_endian=False)) for tag, name in _WIDE_TEXTS.items()]
    comment = decode_user_comment(tiff.raw(tiff.exif, _USER_COMMENT), big_endian=tiff.big_endian)
    return [(f"exif:{name}", text) for name, text in (("UserComment", comment), *plain, *wide) if text.strip()]


def _text_claims(where: str, text: str, hint: str | None) -> list[Claim]:
    if where == "exif:UserComment" and text.strip("\0 ").lower() == "screenshot":
        return [Claim(kind=ClaimKind.SCREENSHOT, where=where, text=text)]
    return read_text(where, text, hint)


def _read_camera(tiff: Tiff, found: Findings) -> None:
    make, model = tiff.text(tiff.main, _MAKE), tiff.text(tiff.main, _MODEL)
    if not (_is_device(make) and _is_device(model)):
        return
    groups = sum(any(tiff.nonzero(tiff.exif, tag) for tag in tags) for tags in _EXPOSURE)
    found.camera = groups >= _EXPOSURE_NEEDED
    if not found.camera:
        return
    found.maker_note = tiff.nonzero(tiff.exif, _MAKER_NOTE)
    found.device = model if model.lower().startswith(make.lower()) else f"{make} {model}"
    note = ", maker note" if found.maker_note else ""
    text = f"{found.device}; {groups} of 4 exposure fields{note}"
    strength = Strength.MEDIUM if found.maker_note else Strength.WEAK
    found.claims.append(
        Claim(kind=ClaimKind.CAMERA, where="exif:Make", tool=found.device, text=text, strength=strength)
    )


def _is_device(name: str) -> bool:
    """Whether a name can be a maker's or a model's: ComfyUI writes its graphs into these fields."""
    return 0 < len(name) <= _LONGEST_DEVICE and not any(c in name for c in "{}[]\n")


def _any_text(tiff: Tiff, directory: dict[int, tuple[int, int, int]], tags: tuple[int, ...]) -> bool:
    return any(tiff.raw(directory, tag).strip(b"\0 ") for tag in tags)
