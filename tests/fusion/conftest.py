from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fusion.calibration import Calibration
from fusion.decision import Decision, Hearing, Rules
from paradigms.evidence import Evidence
from paradigms.label import Cause, Label, Outcome
from paradigms.report import Report
from paradigms.signals.provenance import Declaration, Provenance
from paradigms.signals.provenance.comfyui import Graph, graph_claim

RULES = Rules(quorum=4, generated_share=0.8, real_share=0.65)
LABELS = {"g": Label.GENERATED, "r": Label.REAL, "u": Label.UNDECIDED}
OUTCOMES = {"x": Outcome.REFUSED, "?": Outcome.UNPARSED, "!": Outcome.FAILED}
CAUSES = {"-": Cause.NO_EYES, "$": Cause.BUDGET, "d": Cause.DEADLINE, "n": Cause.NOT_A_PHOTOGRAPH, "t": Cause.TOO_SMALL}


def sign(side: str | None = "generated", severity: int | None = 3, **fields: Any) -> Evidence:
    content = {"name": f"{side} sign", "points_to": side, "severity": severity, "paradigm": "p0", **fields}
    return Evidence.model_validate(content)


def report(letter: str, name: str = "p0", *evidence: Evidence, **fields: Any) -> Report:
    """A report by one letter: g r u answered, x refused, ? unparsed, ! failed, m measured, and the causes above."""
    content: dict[str, Any] = {"paradigm": name, "title": name.title(), "question": "What?", "prompt_version": "1+0"}
    content |= {"evidence": evidence, "backend": "toy"}
    if letter in LABELS:
        content |= {"outcome": Outcome.ANSWERED, "label": LABELS[letter], "text": f"It looks {LABELS[letter].value}."}
    elif letter == "m":
        content |= {"outcome": Outcome.ANSWERED, "label": Label.UNDECIDED, "backend": None, "text": "Measured."}
    elif letter in OUTCOMES:
        content |= {"outcome": OUTCOMES[letter], "reason": "it did not"}
    else:
        asked = "toy" if letter in "$d" else None
        content |= {"outcome": Outcome.SKIPPED, "cause": CAUSES[letter], "reason": "skipped", "backend": asked}
    return Report.model_validate({**content, **fields})


def reports(letters: str) -> tuple[Report, ...]:
    return tuple(report(letter, f"p{index}") for index, letter in enumerate(letters))


class Panel:
    """Answers with a prepared report, and counts how often it is asked."""

    def __init__(self, answer: Report | None = None) -> None:
        self.answer = answer
        self.asked = 0

    async def __call__(self) -> Report | None:
        self.asked += 1
        return self.answer


def hearing(panel: Panel | None = None, rules: Rules = RULES) -> Hearing:
    return Hearing(rules, panel or Panel())


def outcome(decision: Decision) -> str:
    """The label, or why there is none."""
    return decision.undecided_because.value if decision.undecided_because else decision.label.value


def provenance(declaration: Declaration = Declaration.NONE, **fields: Any) -> Provenance:
    return Provenance(declaration=declaration, **fields)


def graph(declaration: Declaration, **fields: Any) -> Provenance:
    """What a file with an unsigned ComfyUI graph says."""
    edits = declaration is Declaration.DECLARES_EDITED
    kinds = {"1": "LoadImage", "2": "VAEEncode"} if edits else {"1": "KSampler"}
    claim = graph_claim("png:prompt", Graph(kinds, {"1": ["2"]} if edits else {}, ran=True))
    return provenance(declaration, tool=claim.tool, where=claim.where, claims=(claim,), **fields)


FORBIDDEN = ("fake", "forged", "authentic", "verified", "detected", "confirmed", "%", "per cent", "percent")


def unfit(texts: Sequence[str]) -> list[str]:
    """The texts that hold a word which people must not be told."""
    return [text for text in texts if any(word in text.lower() for word in FORBIDDEN)]


def calibration(**fields: Any) -> Calibration:
    """A calibration in which p0 weighs 2, p1 and p2 weigh 1, and the score member p3 adds its z-score."""
    rate = {"rate": 0.02, "low": 0.005, "high": 0.07, "count": 2, "of": 100}
    good = {"n": 200, "balanced_accuracy": 0.9, "auc": 0.95, "ece": 0.02}
    content: dict[str, Any] = {
        "name": "toy",
        "strategy": "log_odds",
        "data": "toy cases",
        "n": {"generated": 100, "real": 100},
        "prior": 0.5,
        "members": {
            "p0": {"generated": 2.0, "real": -2.0},
            "p1": {"generated": 1.0, "real": -1.0},
            "p2": {"generated": 1.0, "real": -1.0},
            "p3": {"score": {"center": 0.5, "scale": 0.25, "weight": 1.0}},
        },
        "thresholds": {"generated": 0.9, "real": 0.1},
        "minimum": 2,
        "measured": {
            "scheme": "5 folds",
            "target_false_positive_rate": 0.05,
            "target_supported": True,
            "false_positives": rate,
            "misses": rate,
            "found": {"rate": 0.9, "low": 0.8, "high": 0.95, "count": 90, "of": 100},
            "decided": 0.9,
            "in_domain": good,
        },
    }
    return Calibration.model_validate({**content, **fields})
