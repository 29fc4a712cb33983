"""What the file says of its own origin, in words for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fusion.declaration import statement
from paradigms.signals.provenance import Claim, Integrity, Provenance, Signature, Trust

MOST_CLAIMS = 6

_INTEGRITY = {
    Integrity.OK: "the file is as it was signed",
    Integrity.MISMATCH: "it could not be checked against the file; this also happens to untouched files",
    Integrity.UNREADABLE: "the manifest cannot be read",
}
_TRUST = {
    Trust.TRUSTED: "the signer is on a list of trusted signers",
    Trust.UNTRUSTED: "the signer's certificate breaks the rules for signing, or was revoked",
    Trust.EXPIRED: "the signer's certificate had expired",
    Trust.UNKNOWN: "nothing is known of the signer; anyone can make such a certificate",
}


class State(NamedTuple):
    """How it stands with a file's signed statement."""

    title: str
    meaning: str


_INTACT = State(
    "Signed and intact",
    "The file carries a signed statement of its origin, and the file is as it was signed. Who signed, and whether they "
    "are to be trusted, is another question.",
)
_UNCHECKED = State(
    "There, but it could not be checked",
    "The file carries a signed statement of its origin that does not fit the file, or cannot be read. This also "
    "happens to untouched files.",
)
_ABSENT = State(
    "None",
    "The file carries no signed statement of its origin. That says nothing: most files carry none, and posting a "
    "picture removes it.",
)


def provenance_state(provenance: Provenance) -> State:
    """Which of the three states the file's signed statement is in."""
    if not provenance.signature.present:
        return _ABSENT
    return _INTACT if provenance.signature.integrity is Integrity.OK else _UNCHECKED


def provenance_lines(
    provenance: Provenance, *, headline: str = "", elsewhere: str = "--json lists them"
) -> Iterator[str]:
    """One line each: the statement, the signature, what stands where, notes, private fields. No private text.

    The statement is left out when the headline makes it already. `elsewhere` says where statements stand for which
    there is no room.
    """
    said = statement(provenance) or "The file does not declare that AI made or edited it."
    if said not in headline:
        yield said
    if provenance.signature.present:
        yield _signature(provenance.signature)
    claims = [claim for claim in provenance.claims if claim.text or claim.tool]
    for claim in claims[:MOST_CLAIMS]:
        yield _claim(claim)
    if len(claims) > MOST_CLAIMS:
        yield f"… and {len(claims) - MOST_CLAIMS} more statements; {elsewhere}."
    yield from provenance.notes
    fields = provenance.private_fields
    kinds = {"a place (GPS)": fields.gps, "a serial number": fields.serial_number, "an owner's name": fields.owner_name}
    carried = [name for name, there in kinds.items() if there]
    if carried:
        yield f"It carries {', '.join(carried)}; this is not shown here, and never sent to a model."


def _signature(signature: Signature) -> str:
    parts = ["It carries a signed manifest (C2PA)"]
    if signature.integrity is not None:
        parts.append(f"integrity: {_INTEGRITY[signature.integrity]}")
    if signature.trust is not None:
        parts.append(f"trust: {_TRUST[signature.trust]}")
    if signature.issuer:
        parts.append(f"the certificate names {signature.issuer}")
    return "; ".join(parts).rstrip(".") + "."


def _claim(claim: Claim) -> str:
    if claim.private:
        tool = f" by {claim.tool}" if claim.tool else ""
        return f"{claim.where}: text{tool} that may be private (not shown)"
    said = claim.text if claim.tool is None or claim.tool in claim.text else f"{claim.tool}: {claim.text}".rstrip(": ")
    return f"{claim.where}: {said}"
