import struct

from paradigms.signals.provenance import ClaimKind
from paradigms.signals.provenance.iptc import iptc_within, read_iptc


def record(number, text, section=2):
    return bytes([0x1C, section, number]) + struct.pack(">H", len(text)) + text.encode()


def block(number, payload, name=b""):
    head = bytes([len(name)]) + name
    head += b"\0" * (len(head) % 2)
    return (
        b"8BIM"
        + struct.pack(">H", number)
        + head
        + struct.pack(">I", len(payload))
        + payload
        + b"\0" * (len(payload) % 2)
    )


def test_credit_program_and_name(files):
    found = read_iptc(
        record(90, "x", section=1)
        + record(110, "Made with Google AI")
        + record(65, "Adobe Photoshop")
        + record(120, files.WEBUI)
        + record(80, "A. Person")
    )
    assert [(claim.where, claim.kind) for claim in found.claims] == [
        ("iptc:Credit", ClaimKind.GENERATED),
        ("iptc:Program", ClaimKind.EDITED),
        ("iptc:Caption", ClaimKind.GENERATED),
    ]
    assert found.owner_name


def test_the_records_behind_other_blocks():
    blocks = block(1005, b"abc", b"odd") + block(0x0404, record(110, "x"))
    assert iptc_within(blocks) == record(110, "x")
    assert iptc_within(block(1005, b"abc")) == b""


def test_damaged_records_are_survived():
    assert read_iptc(record(110, "Made with Google AI")[:-3]).claims == []
    assert read_iptc(b"\x1c\x02\x6e\xff\xff").claims == []
    assert iptc_within(b"8BIM\x04") == b""
