"""Whether a label stands when the picture is changed a little, as posting it somewhere does."""

from __future__ import annotations

from collections.abc import Sequence

from fusion.decision import Decision, undecided
from fusion.declaration import Ruling
from fusion.explanation import dissenters, explain, headline, next_steps
from fusion.verdict import Basis, Spending, Stability, UndecidedBecause, Variant, Verdict
from paradigms.label import Label

_READS = {Label.GENERATED: "generated", Label.REAL: "a photograph"}


def to_be_tried(verdict: Verdict) -> bool:
    """Whether there is a label that variants could shake: one that rests on what was seen.

    The file's own word is not shaken by variants, which have no metadata.
    """
    return verdict.label is not Label.UNDECIDED and verdict.basis is Basis.SEEN


def weigh(label: Label, variants: Sequence[Variant]) -> Stability:
    """How a label stands.

    It does not when a variant is decided for the other side, or when at least half of those that were judged are
    undecided. When none was judged, nothing is known.
    """
    judged = [variant for variant in variants if variant.label is not None]
    flipped = tuple(variant.name for variant in judged if variant.label not in (label, Label.UNDECIDED))
    lost = sum(variant.label is Label.UNDECIDED for variant in judged)
    return Stability(
        label=label,
        variants=tuple(variants),
        agreeing=sum(variant.label is label for variant in judged),
        flipped_by=flipped,
        stable=not flipped and not (lost and 2 * lost >= len(judged)) if judged else None,
    )


def settle(verdict: Verdict, variants: Sequence[Variant], usage: Spending) -> Verdict:
    """The verdict after its variants were judged: `undecided, unstable` when they shake its label.

    Args:
        verdict: on the picture itself, with a label that rests on what was seen.
        variants: what became of each.
        usage: what everything took together.
    """
    stability = weigh(verdict.label, variants)
    silent = [variant for variant in variants if variant.label is None]
    warnings = verdict.warnings
    if silent:
        names = ", ".join(variant.name for variant in silent)
        warnings += (f"Not all variants of the picture could be judged: {names} ({silent[0].error}).",)
    changed = {"stability": stability, "usage": usage, "warnings": warnings}
    said = stability_words(stability)
    if stability.stable is not False:
        changed |= {"explanation": f"{verdict.explanation}\n{said}"}
        return _with(verdict, changed)
    decision: Decision = undecided(UndecidedBecause.UNSTABLE, verdict.panel, warnings)
    ruling, reports = Ruling(decision, verdict.basis), verdict.reports
    title = headline(ruling, verdict.votes, verdict.provenance, reports)
    dissent = dissenters(decision.label, reports)
    changed |= {
        "label": decision.label,
        "undecided_because": decision.undecided_because,
        "headline": title,
        "dissent": dissent,
        "explanation": f"{explain(ruling, title, verdict.evidence, dissent, reports)}\n{said}",
        "next_steps": next_steps(ruling, reports),
    }
    return _with(verdict, changed)


def not_tried(verdict: Verdict) -> Verdict:
    """The verdict, saying that its variants were not judged."""
    why = "there is no label" if verdict.label is Label.UNDECIDED else "the label rests on the file's own word"
    return _with(verdict, {"warnings": (*verdict.warnings, f"No variants of the picture were judged: {why}.")})


def stability_words(stability: Stability) -> str:
    """How the variants were judged, in a sentence or two."""
    judged = [variant for variant in stability.variants if variant.label is not None]
    if not judged:
        return "None of the picture's mild variants could be judged, so it is not known whether the label is stable."
    counts = f"{stability.agreeing} of {len(judged)} mild variants of the picture read as {_READS[stability.label]} too"
    lost = [variant.name for variant in judged if variant.label is Label.UNDECIDED]
    others = [f"not so: {', '.join(stability.flipped_by)}"] if stability.flipped_by else []
    others += [f"undecided: {', '.join(lost)}"] if lost else []
    return f"{counts} ({'; '.join(others)})." if others else f"{counts}."


def _with(verdict: Verdict, changed: dict[str, object]) -> Verdict:
    """The verdict with other values, checked again."""
    return Verdict(**{**{name: getattr(verdict, name) for name in Verdict.model_fields}, **changed})
