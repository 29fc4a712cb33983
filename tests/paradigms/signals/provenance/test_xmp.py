import time

import pytest

from paradigms.signals.provenance import ClaimKind, Strength, xmp
from paradigms.signals.provenance.xmp import read_xmp

AT = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def claims(files, properties="", elements=""):
    return [(c.where, c.kind) for c in read_xmp(files.xmp(properties, elements)).claims]


@pytest.mark.parametrize(
    ("term", "kind", "strength"),
    [
        ("trainedAlgorithmicMedia", ClaimKind.GENERATED, Strength.STRONG),
        ("compositeWithTrainedAlgorithmicMedia", ClaimKind.AI_EDITED, Strength.STRONG),
        ("digitalCapture", ClaimKind.CAMERA, Strength.WEAK),
        ("algorithmicMedia", ClaimKind.INFO, Strength.WEAK),
    ],
)
@pytest.mark.parametrize("form", ["attribute", "element", "link", "list"])
def test_the_source_type_in_every_form(files, term, kind, strength, form):
    name = "Iptc4xmpExt:DigitalSourceType"
    packet = {
        "attribute": files.xmp(f'{name}="{AT}{term}"'),
        "element": files.xmp("", f"<{name}>{AT}{term}</{name}>"),
        "link": files.xmp("", f'<{name} rdf:resource="{AT}{term}"/>'),
        "list": files.xmp("", f"<{name}><rdf:Bag><rdf:li>{AT}{term}</rdf:li></rdf:Bag></{name}>"),
    }[form]
    found = read_xmp(packet)
    assert [(c.where, c.kind, c.strength) for c in found.claims] == [("xmp:DigitalSourceType", kind, strength)]


def test_the_name_in_another_namespace_is_another_property(files):
    assert claims(files, f'dc:DigitalSourceType="{AT}trainedAlgorithmicMedia"') == []


def test_credit_program_and_free_texts(files):
    alt = f"<dc:description><rdf:Alt><rdf:li xml:lang='x-default'>{files.WEBUI}</rdf:li></rdf:Alt></dc:description>"
    found = claims(files, 'photoshop:Credit="Made with Google AI" xmp:CreatorTool="Adobe Photoshop 26.0"', alt)
    assert found == [
        ("xmp:Credit", ClaimKind.GENERATED),
        ("xmp:CreatorTool", ClaimKind.EDITED),
        ("xmp:description", ClaimKind.GENERATED),
    ]


def test_a_screenshot_says_so(files):
    assert claims(files, "", "<exif:UserComment>Screenshot</exif:UserComment>") == [
        ("xmp:UserComment", ClaimKind.SCREENSHOT)
    ]


def test_the_system_used_is_no_declaration_by_itself(files):
    assert claims(files, 'Iptc4xmpExt:AISystemUsed="Model X"') == [("xmp:AISystemUsed", ClaimKind.INFO)]


def test_the_chinese_label(files):
    label = "{&quot;Label&quot;:&quot;1&quot;,&quot;ContentProducer&quot;:&quot;x&quot;}"
    assert claims(files, "", f"<TC260:AIGC>{label}</TC260:AIGC>") == [("xmp:AIGC", ClaimKind.GENERATED)]


def test_private_fields_are_told_without_their_values(files):
    creator = "<dc:creator><rdf:Seq><rdf:li>Zelda Q</rdf:li></rdf:Seq></dc:creator>"
    found = read_xmp(files.xmp('exif:GPSLatitude="47,23.1N" aux:SerialNumber="991"', creator))
    assert (found.gps, found.serial_number, found.owner_name) == (True, True, True)
    assert "Zelda" not in repr(found)
    assert "991" not in repr(found)


def test_a_manifest_elsewhere_is_noted(files):
    assert read_xmp(files.xmp('dcterms:provenance="https://example.org/m"')).notes == [xmp.REMOTE]


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"<",
        b"no xml",
        b"<a><b></a>",
        b"\xff\xfe<\0a\0>\0",
        b"<?xml version='1.0' encoding='nonsense'?><a/>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<!DOCTYPE a SYSTEM 'file:///etc/hostname'><a/>",
        b"<a>" + b"x" * (2 << 20) + b"</a>",
        b"<a \0/>",
    ],
)
def test_what_cannot_be_read_is_noted(packet):
    found = read_xmp(packet)
    assert (found.claims, found.notes) == ([], [xmp.UNREADABLE])


def test_bytes_around_the_packet_are_passed_over(files):
    packet = b"\xef\xbb\xbf \0" + files.xmp(f'Iptc4xmpExt:DigitalSourceType="{AT}trainedAlgorithmicMedia"') + b"\0\0 "
    assert len(read_xmp(packet).claims) == 1


@pytest.mark.parametrize("packet", [b"<a>" * 100_000 + b"</a>" * 100_000, b"<a>" + b"<b c='d'/>" * 90_000 + b"</a>"])
def test_deep_and_wide_packets_take_bounded_time(packet):
    start = time.process_time()
    assert read_xmp(packet).claims == []
    assert time.process_time() - start < 2
