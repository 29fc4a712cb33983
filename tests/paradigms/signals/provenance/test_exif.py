import json

import pytest

from paradigms.signals.provenance import ClaimKind, Strength
from paradigms.signals.provenance.exif import read_exif

MAKE, MODEL, SOFTWARE, DESCRIPTION, ARTIST = 0x010F, 0x0110, 0x0131, 0x010E, 0x013B
GRAPH = json.dumps({"3": {"class_type": "KSampler", "inputs": {}}})


def claims(payload):
    return [(claim.where, claim.kind) for claim in read_exif(payload).claims]


def test_a_camera(files):
    found = read_exif(files.camera_exif())
    assert (found.camera, found.maker_note, found.device) == (True, True, "Acme X100")
    assert [(c.kind, c.strength) for c in found.claims] == [(ClaimKind.CAMERA, Strength.MEDIUM)]


def test_a_camera_without_a_maker_note_counts_less(files):
    found = read_exif(files.camera_exif(maker_note=False))
    assert (found.camera, found.maker_note) == (True, False)
    assert found.claims[0].strength is Strength.WEAK


@pytest.mark.parametrize("missing", [MAKE, MODEL])
def test_no_camera_without_make_and_model(files, missing):
    assert not read_exif(files.camera_exif({missing: ""})).camera


@pytest.mark.parametrize(
    ("detail", "camera"),
    [
        ({0x829A: 0.01, 0x829D: 2.8}, False),
        ({0x829A: 0.01, 0x9201: 6.6, 0x829D: 2.8}, False),
        ({0x9201: 6.6, 0x9202: 3.0, 0x8827: 100}, True),
        ({0x829A: 0.01, 0x829D: 2.8, 0x8827: 0}, False),
    ],
)
def test_three_kinds_of_exposure_fields_make_a_camera(files, detail, camera):
    assert read_exif(files.exif({MAKE: "Acme", MODEL: "X"}, detail)).camera is camera


@pytest.mark.parametrize(
    ("prefix", "encoding"),
    [(b"ASCII\0\0\0", "ascii"), (b"UNICODE\0", "utf-16-be"), (b"UNICODE\0", "utf-16-le"), (b"", "utf-8")],
)
def test_parameters_in_the_user_comment(files, prefix, encoding):
    payload = files.exif(detail={0x9286: prefix + files.WEBUI.encode(encoding)})
    assert claims(payload) == [("exif:UserComment", ClaimKind.GENERATED)]


def test_parameters_in_a_wide_comment(files):
    payload = files.exif({0x9C9C: files.WEBUI.encode("utf-16-le")})
    assert claims(payload) == [("exif:XPComment", ClaimKind.GENERATED)]


@pytest.mark.parametrize(("tag", "name"), [(MAKE, "Make"), (MODEL, "Model"), (DESCRIPTION, "ImageDescription")])
def test_a_graph_in_place_of_a_camera_is_no_camera(files, tag, name):
    found = read_exif(files.camera_exif({tag: f"workflow:{GRAPH}"}))
    assert (f"exif:{name}", ClaimKind.GENERATED) in [(c.where, c.kind) for c in found.claims]
    assert found.camera is (tag == DESCRIPTION)


def test_the_program_names_the_tool_of_the_block(files):
    block = json.dumps({"seed": 1, "steps": 30, "cfg_scale": 4, "sampler": "x"})
    found = read_exif(files.exif({SOFTWARE: "Fooocus v2.5.5"}, {0x9286: b"ASCII\0\0\0" + block.encode()}))
    assert [claim.tool for claim in found.claims] == ["Fooocus", "Fooocus"]


def test_a_description_in_words_claims_nothing(files):
    assert claims(files.exif({DESCRIPTION: "AI generated? No: a duck, by seed and sampler"})) == []


def test_a_screenshot_says_so(files):
    assert claims(files.exif(detail={0x9286: b"ASCII\0\0\0Screenshot"})) == [("exif:UserComment", ClaimKind.SCREENSHOT)]


def test_private_fields_are_told_without_their_values(files):
    found = read_exif(files.exif({ARTIST: "Zelda Q"}, {0xA431: "991"}, {1: "N", 2: (47.0, 23.0, 1.0)}))
    assert (found.gps, found.serial_number, found.owner_name) == (True, True, True)
    assert "Zelda" not in repr(found)
    assert "991" not in repr(found)


def test_blank_fields_are_not_private(files):
    found = read_exif(files.exif({ARTIST: "   "}, {0xA431: ""}, {0: b"\2\3\0\0"}))
    assert (found.gps, found.serial_number, found.owner_name) == (False, False, False)
