from __future__ import annotations

from typing import Any

import pytest

from paradigms.signals.provenance import (
    Claim,
    ClaimKind,
    Declaration,
    Integrity,
    PrivateFields,
    Provenance,
    Signature,
    Trust,
)
from sixlens.words.provenance import provenance_lines, provenance_state

GENERATED = Provenance(declaration=Declaration.DECLARES_GENERATED, tool="Tool", where="png:parameters")


def lines(provenance: Provenance, headline: str = "") -> list[str]:
    return list(provenance_lines(provenance, headline=headline))


def test_a_file_that_says_nothing() -> None:
    assert lines(Provenance()) == ["The file does not declare that AI made or edited it."]


def test_the_statement_is_not_repeated_under_a_headline_that_makes_it() -> None:
    (said,) = lines(GENERATED)
    assert "declares that it was generated" in said
    assert lines(GENERATED, headline=f"{said} The pixels were not judged.") == []


@pytest.mark.parametrize("integrity", Integrity)
@pytest.mark.parametrize("trust", Trust)
def test_integrity_and_trust_are_said_apart(integrity: Integrity, trust: Trust) -> None:
    signature = Signature(present=True, integrity=integrity, trust=trust, issuer="Somebody Inc.")
    line = lines(Provenance(signature=signature))[1]
    assert line.count("integrity: ") == line.count("trust: ") == 1
    assert line.endswith("the certificate names Somebody Inc.")


def test_private_text_is_never_shown() -> None:
    claims = (
        Claim(kind=ClaimKind.GENERATED, where="png:parameters", tool="Tool", text="a secret prompt", private=True),
        Claim(kind=ClaimKind.INFO, where="jpeg:comment", text="a secret letter", private=True),
        Claim(kind=ClaimKind.CAMERA, where="exif:Make", text="Camera 1"),
        Claim(kind=ClaimKind.EDITED, where="exif:Software", tool="Editor", text="version 2"),
        Claim(kind=ClaimKind.INFO, where="xmp:Nothing"),
    )
    assert lines(Provenance(claims=claims))[1:] == [
        "png:parameters: text by Tool that may be private (not shown)",
        "jpeg:comment: text that may be private (not shown)",
        "exif:Make: Camera 1",
        "exif:Software: Editor: version 2",
    ]


def test_a_manifest_that_does_not_match_accuses_nobody() -> None:
    signature = Signature(present=True, integrity=Integrity.MISMATCH)
    (_, said) = lines(Provenance(signature=signature))
    assert "integrity: it could not be checked against the file; this also happens to untouched files." in said


def test_many_claims_are_cut_short() -> None:
    claims = tuple(Claim(kind=ClaimKind.INFO, where=f"png:{number}", text="x") for number in range(20))
    found = lines(Provenance(claims=claims))
    assert len(found) == 8
    assert found[-1] == "… and 14 more statements; --json lists them."


def test_private_fields_are_named_without_their_values_and_notes_kept() -> None:
    fields = PrivateFields(gps=True, serial_number=True, owner_name=True)
    found = lines(Provenance(private_fields=fields, notes=("A note.",)))
    assert found[1:] == [
        "A note.",
        "It carries a place (GPS), a serial number, an owner's name; "
        "this is not shown here, and never sent to a model.",
    ]


def test_a_signed_statement_is_in_one_of_three_states() -> None:
    def title(**fields: Any) -> str:
        return provenance_state(Provenance(signature=Signature(**fields))).title

    assert title() == "None"
    assert title(present=True, integrity=Integrity.OK, trust=Trust.UNKNOWN) == "Signed and intact"
    for integrity in (Integrity.MISMATCH, Integrity.UNREADABLE, None):
        assert title(present=True, integrity=integrity) == "There, but it could not be checked"
    assert "That says nothing" in provenance_state(Provenance()).meaning
