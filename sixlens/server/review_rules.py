"""Which cases a person looks at, and what a person sees of a case before deciding."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fusion.verdict import Verdict
from paradigms.label import Label

_TELLING = frozenset({"reasoning", "points_to", "severity", "ordinary_cause"})
_FILE_TALK = "provenance"
_NAMES_A_SIDE = re.compile(
    r"\b(?:(?:ai|a\.i\.)(?:[- ](?:generat|mad|creat)\w*)?|(?:machine|computer)[- ](?:generat|mad|creat)\w*|generat\w*"
    r"|synthe(?:tic|si[sz])\w*|artificial\w*|diffusion|deep ?fak\w*|fak\w*|forg(?:ed|ery|eries)|real|genuine\w*"
    r"|authentic\w*|photo(?:s|graph\w*)?)\b",
    re.IGNORECASE,
)


def reason_for_review(
    verdict: Verdict, judgment: str, share: float, *, appealed: bool = False, asked: bool = False
) -> tuple[str, bool] | None:
    """Why a person looks at this case, and whether the label is withheld meanwhile; None when nobody needs to.

    Args:
        verdict: the verdict of the case.
        judgment: the id of the judgment; whether a decided case is drawn follows from it alone.
        share: the share of decided cases that is drawn, 0 to 1.
        appealed: somebody objected to the verdict before it.
        asked: whoever sent the picture wants a person to look.
    """
    if appealed:
        return "appeal", False
    if asked:
        return "asked", False
    if verdict.label is Label.UNDECIDED:
        return "undecided", False
    if verdict.dissent:
        return "dissent", False
    return ("random", True) if _is_drawn(judgment, share) else None


def blind_evidence(evidence: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What was seen, without what tells for which side it was taken; what the file says of itself is left out too.

    Words that name a side are left out of the text; which side a thing speaks for may still show in what it is.
    """
    seen = [one for one in evidence if one.get("category") != _FILE_TALK]
    stripped = [{key: _unsaid(key, value) for key, value in one.items() if key not in _TELLING} for one in seen]
    return sorted(stripped, key=lambda one: (str(one.get("name")), str(one.get("paradigm"))))


def _unsaid(key: str, value: object) -> object:
    return _NAMES_A_SIDE.sub("…", value) if key in ("name", "phenomenon") and isinstance(value, str) else value


def _is_drawn(judgment: str, share: float) -> bool:
    drawn = int.from_bytes(hashlib.sha256(judgment.encode()).digest()[:8])
    return drawn < share * 2**64
