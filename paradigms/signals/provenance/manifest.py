"""C2PA manifests: what was signed, whether it still matches the file, and what is known of the signer."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from paradigms.signals.provenance.findings import Findings
from paradigms.signals.provenance.result import Claim, ClaimKind, Integrity, Signature, Strength, Trust
from paradigms.signals.provenance.source_type import source_kind, source_term
from paradigms.signals.provenance.text import load_json

WHERE = "c2pa"
MAX_CHAIN = 32
MAX_CODES = 32
MAX_ACTIONS = 1_000

MISMATCH = "The C2PA manifest and the file do not match, so what was signed cannot be checked."
UNREADABLE = "The C2PA manifest cannot be read."
INCOMPLETE = "The C2PA manifest could be read, but not checked against the file."
NO_TRUST_LIST = "No list of trusted signers was used: who signed is not established."

_DOUBTS = {Integrity.MISMATCH: MISMATCH, Integrity.UNREADABLE: INCOMPLETE}
_SETTINGS = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {
        "allowed_network_hosts": [],
        "allow_redirects": False,
        "decode_identity_assertions": False,
        "max_decompressed_manifest_size_in_mb": 8,
    },
}
"""Nothing is fetched: no manifest, no revocation list, no identity."""

_LABEL = re.compile(r"/c2pa/([^/]+)")
_MAKING = ("c2pa.created", "c2pa.opened")
_HARMLESS = (*_MAKING, "c2pa.converted", "c2pa.published", "c2pa.transcoded", "c2pa.repackaged")
_NOT_OF_INTEGRITY = (
    "signingCredential.",
    "timeStamp.",
    "timeOfSigning.",
    "claimSignature.outsideValidity",
    "assertion.action.ingredientMismatch",
    "assertion.action.malformed",
)
_AI = (ClaimKind.GENERATED, ClaimKind.AI_EDITED)

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Action:
    """One action: its name, its source type, the program that did it, and the label of the manifest that says so."""

    name: str
    source: str
    agent: str
    label: str

    @property
    def kind(self) -> ClaimKind:
        """What its source type claims."""
        return source_kind(self.source)


def read_manifest(data: bytes, media_type: str) -> Findings:
    """Signature and claims of the active manifest of a file that embeds one."""
    store = load_json(_store_text(data, media_type))
    manifests = _mapping(_mapping(store).get("manifests"))
    active = _text(_mapping(store).get("active_manifest"))
    if not isinstance(store, dict) or active not in manifests:
        signature = Signature(present=True, integrity=Integrity.UNREADABLE)
        return Findings(signature=signature, notes=[UNREADABLE])
    chain = _chain(manifests, active)
    failures = list(_failures(store, manifests, chain))
    succeeded = set(_codes(_results(store).get("activeManifest"), "success"))
    signature = _signature(_mapping(manifests[active]), _codes_of(failures, chain[:1]), succeeded)
    kind, action = _origin(manifests, chain)
    behind = chain[: chain.index(action.label) + 1] if action else chain
    intact = _integrity(_codes_of(failures, behind), succeeded) is Integrity.OK
    notes = [_DOUBTS[signature.integrity]] if signature.integrity in _DOUBTS else []
    notes += [NO_TRUST_LIST] if signature.trust is not Trust.TRUSTED else []
    found = Findings(signature=signature, claims=[_claim(kind, action, signature, intact)], notes=notes)
    for label in chain:
        _read_private(_mapping(manifests[label]), found)
    return found


def _read_private(manifest: Json, found: Findings) -> None:
    """Places and names in the assertions, which people do not expect there."""
    for assertion in map(_mapping, _items(manifest.get("assertions"))):
        data = _mapping(assertion.get("data"))
        found.gps |= any(key.endswith("GPSLatitude") for key in data)
        found.serial_number |= any(key.endswith("SerialNumber") for key in data)
        found.owner_name |= any(_text(_mapping(author).get("name")) for author in _items(data.get("author")))


def _store_text(data: bytes, media_type: str) -> str:
    """The manifest store as JSON, validated without the network; empty when it cannot be read.

    The library is imported here: it loads a large native part, and few files need it.
    """
    import c2pa  # type: ignore[import-untyped]

    try:
        with (
            c2pa.Context.from_dict(_SETTINGS) as context,
            c2pa.Reader(media_type, io.BytesIO(data), context=context) as reader,
        ):
            return str(reader.json())
    except c2pa.C2paError:
        return ""


def _chain(manifests: Json, active: str) -> list[str]:
    """Labels of the active manifest and of those it was derived from, by `parentOf` alone."""
    chain = [active]
    while len(chain) < MAX_CHAIN:
        parents = (_text(i.get("active_manifest")) for i in _ingredients(manifests, chain[-1], "parentOf"))
        following = next((label for label in parents if label in manifests and label not in chain), None)
        if following is None:
            break
        chain.append(following)
    return chain


def _ingredients(manifests: Json, label: str, relationship: str) -> Iterator[Json]:
    for ingredient in _items(_mapping(manifests.get(label)).get("ingredients")):
        if _mapping(ingredient).get("relationship") == relationship:
            yield _mapping(ingredient)


def _signature(manifest: Json, codes: list[str], succeeded: set[str]) -> Signature:
    info = _mapping(manifest.get("signature_info"))
    return Signature(
        present=True,
        integrity=_integrity(codes, succeeded),
        trust=_trust(codes, succeeded),
        issuer=_text(info.get("issuer")) or None,
        generator=_generator(manifest) or None,
        codes=tuple(codes[:MAX_CODES]),
    )


def _results(holder: Json) -> Json:
    return _mapping(holder.get("validation_results"))


def _failures(store: Json, manifests: Json, chain: list[str]) -> Iterator[tuple[str, str]]:
    """Code and manifest label of every failure: found now, or recorded when a parent was taken in."""
    results = [_mapping(_results(store).get("activeManifest"))]
    results += [_mapping(_mapping(d).get("validationDeltas")) for d in _items(_results(store).get("ingredientDeltas"))]
    statuses = [status for result in results for status in _items(result.get("failure"))]
    for label in chain[:-1]:
        for parent in _ingredients(manifests, label, "parentOf"):
            statuses += _items(_mapping(_results(parent).get("activeManifest")).get("failure"))
            statuses += _items(parent.get("validation_status"))
    for status in statuses:
        place = _LABEL.search(_text(_mapping(status).get("url")))
        yield _text(_mapping(status).get("code"))[:80], place[1] if place else ""


def _codes_of(failures: list[tuple[str, str]], labels: list[str]) -> list[str]:
    """Sorted codes of some manifests, and those that name none."""
    return sorted({code for code, label in failures if label in ("", *labels)})


def _codes(result: object, outcome: str) -> Iterator[str]:
    for status in _items(_mapping(result).get(outcome)):
        yield _text(_mapping(status).get("code"))


def _integrity(codes: list[str], succeeded: set[str]) -> Integrity:
    """From the codes about signature and hashes; those of certificate, time and form say nothing of it."""
    broken = [code for code in codes if not code.startswith(_NOT_OF_INTEGRITY)]
    if any(code.endswith(".mismatch") for code in broken):
        return Integrity.MISMATCH
    matched = any(code.endswith("Hash.match") for code in succeeded)
    if broken or not matched or "claimSignature.validated" not in succeeded:
        return Integrity.UNREADABLE
    return Integrity.OK


def _trust(codes: list[str], succeeded: set[str]) -> Trust:
    if "signingCredential.invalid" in codes or any(code.endswith(".revoked") for code in codes):
        return Trust.UNTRUSTED
    if "signingCredential.expired" in codes or "claimSignature.outsideValidity" in codes:
        return Trust.EXPIRED
    return Trust.TRUSTED if "signingCredential.trusted" in succeeded else Trust.UNKNOWN


def _claim(kind: ClaimKind, action: Action | None, signature: Signature, intact: bool) -> Claim:
    """The one claim that the manifests of the chain come to; strong when all that it rests on is `intact`."""
    if kind not in _AI:
        strength = Strength.MEDIUM if intact and kind is ClaimKind.CAMERA else Strength.WEAK
    else:
        strength = Strength.STRONG if intact else Strength.MEDIUM
    tool = (action.agent if action else "") or signature.generator
    term = source_term(action.source) if action else ""
    text = ": ".join(part for part in (action.name if action else "", term) if part)
    return Claim(kind=kind, where=WHERE, tool=tool or None, text=text, strength=strength)


def _origin(manifests: Json, chain: list[str]) -> tuple[ClaimKind, Action | None]:
    """What the chain says of the picture as a whole, and the action that says it.

    Made by a model anywhere in the chain is generated, whatever was done to it later. A model's part in something else
    is an edit. `componentOf` ingredients are parts.
    """
    actions = [action for label in chain for action in _actions(manifests, label)]
    made = next((a for a in actions if a.kind is ClaimKind.GENERATED and a.name in _MAKING), None)
    if made:
        return ClaimKind.GENERATED, made
    parts = [action for action in actions if action.kind in _AI]
    mixed = next((a for a in parts if a.agent), None) or next(iter(parts), None) or _ai_component(manifests, chain)
    if mixed:
        return ClaimKind.AI_EDITED, mixed
    edit = next((a for a in actions if a.name not in _HARMLESS or a.kind is ClaimKind.EDITED), None)
    if edit:
        return ClaimKind.EDITED, edit
    plain = next((a for a in actions if a.kind in (ClaimKind.CAMERA, ClaimKind.SCREENSHOT)), None)
    return (plain.kind, plain) if plain else (ClaimKind.INFO, next(iter(actions), None))


def _ai_component(manifests: Json, chain: list[str]) -> Action | None:
    """An AI source among the parts that the picture was put together from."""
    for label in chain:
        for part in _ingredients(manifests, label, "componentOf"):
            within = _text(part.get("active_manifest"))
            for inner in _chain(manifests, within) if within in manifests else ():
                found = next((a for a in _actions(manifests, inner) if a.kind in _AI), None)
                if found:
                    return dataclasses.replace(found, label=label)
    return None


def _actions(manifests: Json, label: str) -> Iterator[Action]:
    """Actions, and source types that stand in metadata assertions."""
    for assertion in map(_mapping, _items(_mapping(manifests.get(label)).get("assertions"))):
        data, kind = _mapping(assertion.get("data")), _text(assertion.get("label"))
        if kind.startswith("c2pa.actions"):
            agents = _items(data.get("softwareAgents"))
            for action in map(_mapping, _items(data.get("actions"))[:MAX_ACTIONS]):
                source = _text(action.get("digitalSourceType"))[:200]
                yield Action(_text(action.get("action"))[:80], source, _agent(action, agents), label)
        elif kind in ("c2pa.metadata", "stds.iptc", "cawg.metadata"):
            terms = (value for key, value in data.items() if key.lower().endswith("digitalsourcetype"))
            yield from (Action("c2pa.created", _text(term)[:200], "", label) for term in terms if _text(term))


def _agent(action: Json, agents: list[object]) -> str:
    index = action.get("softwareAgentIndex")
    agent = action.get("softwareAgent")
    if agent is None and isinstance(index, int) and 0 <= index < len(agents):
        agent = agents[index]
    return _text(agent) or _text(_mapping(agent).get("name"))


def _generator(manifest: Json) -> str:
    info = _mapping(next(iter(_items(manifest.get("claim_generator_info"))), None))
    named = " ".join(part for part in (_text(info.get("name")), _text(info.get("version"))) if part)
    return named or _text(manifest.get("claim_generator"))


def _mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
