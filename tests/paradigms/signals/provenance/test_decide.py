import pytest

from paradigms.signals.provenance import Claim, ClaimKind, Declaration, Integrity, Signature, Strength, decide
from paradigms.signals.provenance.findings import MAX_CLAIMS, Findings

STRONG, MEDIUM, WEAK = Strength.STRONG, Strength.MEDIUM, Strength.WEAK


def claim(kind, strength=STRONG, where="png:parameters", tool=None):
    return Claim(kind=kind, where=where, strength=strength, tool=tool)


def said(*claims, **facts):
    return decide.decide(Findings(claims=list(claims), **facts))


def test_nothing_found_is_none():
    found = said()
    assert (found.declaration, found.where, found.notes) == (Declaration.NONE, None, ())


def test_the_stronger_claim_decides():
    found = said(claim(ClaimKind.GENERATED, MEDIUM, "a"), claim(ClaimKind.GENERATED, STRONG, "b", "Tool"))
    assert (found.declaration, found.where, found.tool) == (Declaration.DECLARES_GENERATED, "b", "Tool")
    assert found.notes == (decide.UNSIGNED,)


def test_the_milder_word_decides_between_equals():
    found = said(claim(ClaimKind.GENERATED), claim(ClaimKind.AI_EDITED))
    assert found.declaration is Declaration.DECLARES_EDITED


def test_a_signed_claim_decides_over_an_unsigned_one():
    found = said(claim(ClaimKind.AI_EDITED), claim(ClaimKind.GENERATED, STRONG, "c2pa"))
    assert found.declaration is Declaration.DECLARES_GENERATED
    assert found.signed


def test_a_manifest_that_is_not_intact_does_not_sign():
    found = said(claim(ClaimKind.GENERATED, MEDIUM, "c2pa"))
    assert found.declaration is Declaration.DECLARES_GENERATED
    assert not found.signed


def test_a_name_alone_declares_nothing():
    found = said(claim(ClaimKind.GENERATED, WEAK))
    assert found.declaration is Declaration.NONE
    assert found.notes == (decide.ONLY_A_NAME,)


def test_an_unsigned_declaration_beside_a_camera_is_visible():
    found = said(claim(ClaimKind.GENERATED), camera=True, maker_note=True, device="Acme X")
    assert (found.declaration, found.camera, found.signed) == (Declaration.DECLARES_GENERATED, True, False)
    assert decide.BESIDE_CAMERA in found.notes


def test_a_camera_file():
    found = said(claim(ClaimKind.INFO, WEAK), camera=True, maker_note=True, device="Acme X")
    assert (found.declaration, found.tool, found.where) == (Declaration.CAMERA_FILE, "Acme X", "exif:Make")
    assert found.notes == (decide.EASILY_COPIED,)


@pytest.mark.parametrize("kind", [ClaimKind.EDITED, ClaimKind.SCREENSHOT, ClaimKind.GENERATED, ClaimKind.AI_EDITED])
def test_anything_against_it_leaves_no_camera_file(kind):
    assert said(claim(kind, WEAK), camera=True, maker_note=True).declaration is Declaration.NONE


@pytest.mark.parametrize("integrity", [Integrity.MISMATCH, Integrity.UNREADABLE])
def test_a_broken_signature_leaves_no_camera_file(integrity):
    signature = Signature(present=True, integrity=integrity)
    assert said(camera=True, maker_note=True, signature=signature).declaration is Declaration.NONE


def test_no_camera_file_without_a_maker_note():
    found = said(camera=True)
    assert (found.declaration, found.camera) == (Declaration.NONE, True)


def test_findings_are_gathered_within_limits():
    whole = Findings(notes=["a"], gps=True, device="first")
    whole.add(Findings(claims=[claim(ClaimKind.INFO)] * 100, notes=["a", "b"], owner_name=True, device="second"))
    assert len(whole.claims) == MAX_CLAIMS
    assert whole.notes == ["a", "b"]
    assert (whole.gps, whole.owner_name, whole.serial_number, whole.device) == (True, True, False, "first")
