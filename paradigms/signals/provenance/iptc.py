"""IPTC records (IIM), by themselves or in Photoshop resource blocks."""

from __future__ import annotations

from collections.abc import Iterator

from paradigms.signals.provenance.container import big
from paradigms.signals.provenance.credit import credit_claim
from paradigms.signals.provenance.findings import Findings
from paradigms.signals.provenance.parameters import read_text
from paradigms.signals.provenance.software import software_claim
from paradigms.signals.provenance.text import decode

MAX_BLOCKS = 1_000
MAX_RECORDS = 1_000

_IPTC_BLOCK = 0x0404
_PROGRAM, _BYLINE = 65, 80
_CREDITS = {40: "Instructions", 80: "By-line", 110: "Credit", 115: "Source"}
_CAPTION = 120


def iptc_within(photoshop: bytes) -> bytes:
    """The IPTC records in Photoshop resource blocks; empty when there are none."""
    position = 0
    for _ in range(MAX_BLOCKS):
        if photoshop[position : position + 4] != b"8BIM":
            break
        name = photoshop[position + 6 : position + 7]
        length = name[0] if name else 0
        start = position + 6 + length + 1 + (length + 1) % 2
        size = big(photoshop, start, 4)
        if big(photoshop, position + 4, 2) == _IPTC_BLOCK:
            return photoshop[start + 4 : start + 4 + size]
        position = start + 4 + size + size % 2
    return b""


def read_iptc(records: bytes) -> Findings:
    """Claims of credit lines, program and caption, and whether a name is given."""
    found = Findings()
    for number, text in _records(records):
        claim = None
        if number in _CREDITS:
            claim = credit_claim(f"iptc:{_CREDITS[number]}", text)
        elif number == _PROGRAM:
            claim = software_claim("iptc:Program", text)
        elif number == _CAPTION:
            found.claims += read_text("iptc:Caption", text)
        found.claims += [claim] if claim else []
        found.owner_name |= number == _BYLINE and bool(text.strip())
    return found


def _records(data: bytes) -> Iterator[tuple[int, str]]:
    """Number and text of each record of the second section; none of the extended ones, which hold no text of ours."""
    position = 0
    for _ in range(MAX_RECORDS):
        size = big(data, position + 3, 2)
        if data[position : position + 1] != b"\x1c" or size >= 0x8000 or position + 5 + size > len(data):
            return
        if data[position + 1] == 2:
            yield data[position + 2], decode(data[position + 5 : position + 5 + size])
        position += 5 + size
