import http.server
import json
import threading

import pytest

from paradigms.signals.provenance import (
    ClaimKind,
    Declaration,
    Integrity,
    Signature,
    Strength,
    Trust,
    manifest,
    read_provenance,
)

CREATED = {
    "action": "c2pa.created",
    "digitalSourceType": "trainedAlgorithmicMedia",
    "softwareAgent": {"name": "Model X"},
}
OPENED = {"action": "c2pa.opened"}
CROPPED = {"action": "c2pa.cropped"}
FILLED = {"action": "c2pa.edited", "digitalSourceType": "compositeWithTrainedAlgorithmicMedia"}


def test_a_signed_declaration_of_generation(files, sign):
    said = read_provenance(sign(files.jpeg(), files.manifest(CREATED)))
    assert said.declaration is Declaration.DECLARES_GENERATED
    assert (said.tool, said.where, said.signed) == ("Model X", "c2pa", True)
    assert said.signature == Signature(
        present=True,
        integrity=Integrity.OK,
        trust=Trust.UNKNOWN,
        issuer="Unknown Signer",
        generator="Maker 1",
        codes=("signingCredential.untrusted",),
    )
    assert said.notes == (manifest.NO_TRUST_LIST,)


def test_a_changed_pixel_takes_the_signature_but_not_the_declaration(files, sign):
    data = bytearray(sign(files.jpeg(), files.manifest(CREATED)))
    data[-6] ^= 1
    said = read_provenance(bytes(data))
    assert said.declaration is Declaration.DECLARES_GENERATED
    assert not said.signed
    assert said.signature.integrity is Integrity.MISMATCH
    assert "assertion.dataHash.mismatch" in said.signature.codes
    assert said.signature.trust is Trust.UNKNOWN
    assert manifest.MISMATCH in said.notes


def test_a_changed_assertion_is_a_mismatch(files, sign):
    data = sign(files.jpeg(), files.manifest(CREATED)).replace(b"Model X", b"Model Y")
    said = read_provenance(data)
    assert said.signature.integrity is Integrity.MISMATCH
    assert not said.signed


def test_a_manifest_in_ruins_is_unreadable(files, sign):
    data = sign(files.jpeg(), files.manifest(CREATED))
    start = data.index(b"c2pa.signature")
    said = read_provenance(data[:start] + bytes(40) + data[start + 40 :])
    assert said.signature.present
    assert said.signature.integrity is Integrity.UNREADABLE
    assert said.declaration is Declaration.NONE
    assert said.notes == (manifest.UNREADABLE,)


@pytest.mark.parametrize(
    ("actions", "kind", "declaration"),
    [
        ([CREATED, CROPPED], ClaimKind.GENERATED, Declaration.DECLARES_GENERATED),
        (
            [{**OPENED, "digitalSourceType": "trainedAlgorithmicMedia"}],
            ClaimKind.GENERATED,
            Declaration.DECLARES_GENERATED,
        ),
        ([OPENED, FILLED], ClaimKind.AI_EDITED, Declaration.DECLARES_EDITED),
        (
            [OPENED, {**FILLED, "digitalSourceType": "trainedAlgorithmicMedia"}],
            ClaimKind.AI_EDITED,
            Declaration.DECLARES_EDITED,
        ),
        ([OPENED, CROPPED], ClaimKind.EDITED, Declaration.NONE),
        ([{**CREATED, "digitalSourceType": "algorithmicMedia"}], ClaimKind.INFO, Declaration.NONE),
        ([{**CREATED, "digitalSourceType": "digitalCapture"}], ClaimKind.CAMERA, Declaration.NONE),
        ([{**CREATED, "digitalSourceType": "screenCapture"}], ClaimKind.SCREENSHOT, Declaration.NONE),
    ],
)
def test_what_the_actions_come_to(files, sign, actions, kind, declaration):
    said = read_provenance(sign(files.jpeg(), files.manifest(*actions)))
    assert [claim.kind for claim in said.claims] == [kind]
    assert said.declaration is declaration


def test_a_generated_parent_makes_the_child_generated(files, sign):
    parent = sign(files.jpeg(), files.manifest(CREATED))
    child = sign(files.jpeg(), files.manifest(), [(parent, "parentOf")])
    grandchild = read_provenance(sign(files.jpeg(), files.manifest(), [(child, "parentOf")]))
    assert grandchild.declaration is Declaration.DECLARES_GENERATED
    assert grandchild.tool == "Model X"
    assert grandchild.signed


def test_a_generated_part_makes_the_whole_edited(files, sign):
    part = sign(files.jpeg(), files.manifest(CREATED))
    said = read_provenance(
        sign(files.jpeg(), files.manifest(CREATED | {"digitalSourceType": "digitalCreation"}), [(part, "componentOf")])
    )
    assert said.declaration is Declaration.DECLARES_EDITED


def test_a_part_that_is_no_ai_declares_nothing(files, sign):
    part = sign(files.jpeg(), files.manifest(CREATED | {"digitalSourceType": "digitalCapture"}))
    said = read_provenance(sign(files.jpeg(), files.manifest(OPENED), [(part, "componentOf")]))
    assert said.declaration is Declaration.NONE


def test_a_parent_that_did_not_match_leaves_the_declaration_unsigned(files, sign):
    parent = bytearray(sign(files.jpeg(), files.manifest(CREATED)))
    parent[-6] ^= 1
    said = read_provenance(sign(files.jpeg(), files.manifest(), [(bytes(parent), "parentOf")]))
    assert said.declaration is Declaration.DECLARES_GENERATED
    assert said.signature.integrity is Integrity.OK
    assert not said.signed


def test_a_parent_that_did_not_match_does_not_touch_what_the_child_declares(files, sign):
    parent = bytearray(sign(files.jpeg(), files.manifest(OPENED, CROPPED)))
    parent[-6] ^= 1
    said = read_provenance(sign(files.jpeg(), files.manifest(OPENED, FILLED), [(bytes(parent), "parentOf")]))
    assert said.declaration is Declaration.DECLARES_EDITED
    assert said.signed


def test_a_signed_edit_goes_before_an_unsigned_block_of_parameters(files, sign):
    picture = files.jpeg(exif=files.exif(detail={0x9286: b"ASCII\0\0\0" + files.WEBUI.encode()}))
    said = read_provenance(sign(picture, files.manifest(OPENED, FILLED)))
    assert said.declaration is Declaration.DECLARES_EDITED
    assert said.signed
    assert {claim.kind for claim in said.claims} == {ClaimKind.AI_EDITED, ClaimKind.GENERATED}


def test_places_and_names_in_assertions_are_told_without_their_values(files, sign):
    written = files.manifest(OPENED)
    written["assertions"] += [
        {"label": "stds.schema-org.CreativeWork", "data": {"@type": "CreativeWork", "author": [{"name": "Zelda Q"}]}},
        {"label": "stds.exif", "data": {"exif:GPSLatitude": "47,23.1N"}},
    ]
    said = read_provenance(sign(files.jpeg(), written))
    assert said.private_fields.owner_name
    assert said.private_fields.gps
    assert "Zelda" not in said.model_dump_json()
    assert "47,23" not in said.model_dump_json()


def test_a_manifest_elsewhere_is_not_fetched(files, sign):
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        data = sign(files.jpeg(), files.manifest(CREATED), remote=f"http://127.0.0.1:{server.server_port}/m.c2pa")
        said = read_provenance(data)
        store = manifest._store_text(data, "image/jpeg")
        server.shutdown()
    assert asked == []
    assert store == ""
    assert said.declaration is Declaration.NONE
    assert not said.signature.present
    assert any("was not fetched" in note for note in said.notes)


MATCHED = {"claimSignature.validated", "assertion.dataHash.match"}


@pytest.mark.parametrize(
    ("codes", "integrity", "trust"),
    [
        ([], Integrity.OK, Trust.UNKNOWN),
        (["signingCredential.untrusted"], Integrity.OK, Trust.UNKNOWN),
        (["signingCredential.expired", "signingCredential.untrusted"], Integrity.OK, Trust.EXPIRED),
        (["claimSignature.outsideValidity"], Integrity.OK, Trust.EXPIRED),
        (["signingCredential.invalid"], Integrity.OK, Trust.UNTRUSTED),
        (["signingCredential.ocsp.revoked"], Integrity.OK, Trust.UNTRUSTED),
        (["assertion.action.ingredientMismatch"], Integrity.OK, Trust.UNKNOWN),
        (["timeStamp.mismatch"], Integrity.OK, Trust.UNKNOWN),
        (["claimSignature.mismatch"], Integrity.MISMATCH, Trust.UNKNOWN),
        (["assertion.dataHash.mismatch", "assertion.missing"], Integrity.MISMATCH, Trust.UNKNOWN),
        (["assertion.missing"], Integrity.UNREADABLE, Trust.UNKNOWN),
    ],
)
def test_integrity_and_trust_are_told_apart(codes, integrity, trust):
    signature = manifest._signature({}, codes, MATCHED)
    assert (signature.integrity, signature.trust) == (integrity, trust)


def test_a_signer_on_a_trust_list_is_trusted():
    assert manifest._signature({}, [], MATCHED | {"signingCredential.trusted"}).trust is Trust.TRUSTED


@pytest.mark.parametrize("missing", sorted(MATCHED))
def test_without_a_checked_signature_and_hash_integrity_is_not_ok(missing):
    assert manifest._signature({}, [], MATCHED - {missing}).integrity is Integrity.UNREADABLE


def test_what_fails_in_a_part_says_nothing_of_the_whole():
    failures = [("assertion.dataHash.mismatch", "part"), ("signingCredential.untrusted", "a"), ("general.error", "")]
    assert manifest._codes_of(failures, ["a"]) == ["general.error", "signingCredential.untrusted"]


def test_parents_in_a_ring_end():
    ring = {
        name: {"ingredients": [{"relationship": "parentOf", "active_manifest": other}]}
        for name, other in (("a", "b"), ("b", "a"))
    }
    assert manifest._chain(ring, "a") == ["a", "b"]


def test_agents_by_number_and_source_types_in_metadata():
    data = {
        "softwareAgents": [{"name": "A"}, {"name": "B"}],
        "actions": [{"action": "c2pa.created", "softwareAgentIndex": 1}],
    }
    assertions = [
        {"label": "c2pa.actions.v2", "data": data},
        {"label": "c2pa.metadata", "data": {"Iptc4xmpExt:DigitalSourceType": "trainedAlgorithmicMedia"}},
    ]
    created, described = manifest._actions({"a": {"assertions": assertions}}, "a")
    assert created.agent == "B"
    assert described.kind is ClaimKind.GENERATED


@pytest.mark.parametrize("junk", [None, [], 3, "x", {"manifests": []}, {"active_manifest": 1}, {"manifests": {"a": 1}}])
def test_a_store_of_another_shape_is_unreadable(monkeypatch, junk):
    monkeypatch.setattr(manifest, "_store_text", lambda *_: json.dumps(junk))
    assert manifest.read_manifest(b"", "image/jpeg").signature.integrity is Integrity.UNREADABLE


def test_an_active_manifest_of_another_shape_is_survived(monkeypatch):
    text = '{"active_manifest": "a", "manifests": {"a": 7}, "validation_results": [], "x": null}'
    monkeypatch.setattr(manifest, "_store_text", lambda *_: text)
    found = manifest.read_manifest(b"", "image/jpeg")
    assert found.signature.integrity is Integrity.UNREADABLE
    assert [claim.strength for claim in found.claims] == [Strength.WEAK]
