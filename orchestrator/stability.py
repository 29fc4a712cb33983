"""Judging mild variants of a picture beside it, to see whether its label stands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from backends.errors import SixlensError
from backends.images.image import Image
from backends.layers.usage import add_costs, add_usage
from fusion.declaration import ProvenanceMode
from fusion.stability import not_tried, settle, to_be_tried
from fusion.verdict import Spending, UndecidedBecause, Variant, Verdict
from orchestrator.case import Case, Kit
from orchestrator.perturbations import MILD, perturb

JudgeVariant = Callable[[str], Awaitable[tuple[Verdict | SixlensError, Spending]]]
"""Judges the variant of this name: its verdict, or the error in its place, and what it took."""


async def steadied(verdict: Verdict, number: int, judge_variant: JudgeVariant) -> Verdict:
    """The verdict, after that many variants of the picture were judged side by side.

    Args:
        verdict: on the picture itself.
        number: how many of `MILD`, from the first on.
        judge_variant: how to judge one of them.
    """
    if not to_be_tried(verdict):
        return not_tried(verdict)
    began = time.monotonic()
    tasks = [asyncio.ensure_future(judge_variant(name)) for name in MILD[:number]]
    try:
        results = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    usage = verdict.usage
    for _, spent in results:
        usage = _added(usage, spent)
    usage = usage.model_copy(update={"seconds": round(verdict.usage.seconds + time.monotonic() - began, 3)})
    variants = [_variant(name, result, verdict) for name, (result, _) in zip(MILD, results, strict=False)]
    return settle(verdict, variants, usage)


def variant_of(case: Case, name: str) -> Image:
    """The variant of a case's picture.

    It is made at the size in which the picture is delivered: in a camera's file of full size, models would see nothing
    of what was done to it.

    Raises:
        ImageError: it is larger than a picture may be.
    """
    return perturb(case.image, name, max_edge=case.kit.ensemble.image.max_edge)


def variant_kit(kit: Kit) -> Kit:
    """What variants are judged with. They have no metadata, so the file's own word cannot be missed in them."""
    return replace(kit, ensemble=kit.ensemble.model_copy(update={"provenance": ProvenanceMode.IGNORE}))


def _variant(name: str, result: Verdict | SixlensError, original: Verdict) -> Variant:
    if isinstance(result, SixlensError):
        return Variant(name=name, error=str(result))
    scored = {report.paradigm for report in original.reports if report.score is not None}
    unknown = [report.paradigm for report in result.reports if report.paradigm in scored and report.score is None]
    if unknown and original.calibration is not None:
        # Scores out of a file are of the original alone; without them another chance says nothing about the picture.
        return Variant(name=name, error=f"the score of {unknown[0]}, which is weighed, is not known for it")
    missing = result.coverage.failed + result.coverage.skipped
    because = result.undecided_because
    starved = because is UndecidedBecause.BELOW_QUORUM and missing
    if starved or because is UndecidedBecause.BUDGET:
        # It lacks a label because examinations did not take place, which says nothing about the picture.
        return Variant(name=name, error=f"{missing} of its examinations did not take place")
    return Variant(name=name, label=result.label, undecided_because=because, score=result.score)


def _added(one: Spending, other: Spending) -> Spending:
    return one.model_copy(
        update={
            "calls": one.calls + other.calls,
            "attempts": one.attempts + other.attempts,
            "cache_hits": one.cache_hits + other.cache_hits,
            "tokens": add_usage(one.tokens, other.tokens),
            "cost": add_costs(one.cost, other.cost),
        }
    )
