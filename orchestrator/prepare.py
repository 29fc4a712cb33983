"""Gathering what several paradigms need: provenance, measurements, regions, the delivered picture, the subject."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass, replace

from backends.errors import ConfigError
from backends.images.likeness import likeness
from backends.request import Picture
from orchestrator.case import Case, ShownExemplar
from orchestrator.findings import Findings
from orchestrator.subjects import Named, name_subjects, to_name
from paradigms.exemplars import choose_exemplars
from paradigms.region import Region
from paradigms.signals.measurement import MEASUREMENTS, Measurement
from paradigms.signals.provenance import read_provenance
from paradigms.view import NO_SUBJECT, View

MIN_EDGE = 8
"""A picture whose shorter side has fewer pixels is judged by its provenance alone."""


async def prepare(case: Case) -> Findings:
    """Gather everything, side by side, and lay it out for each paradigm in `case.views`.

    The picture is delivered first, since the one question about it takes longest. Measurements and provenance read the
    original. The decoded pixels, by far the largest thing about a case, are let go before anybody's answer is awaited.
    """
    if case.kit.ensemble.ask and min(case.image.width, case.image.height) >= MIN_EDGE:
        settings = case.kit.ensemble.image
        case.delivered = await case.in_thread(lambda: case.image.deliver(settings.max_edge, settings.quality))
    provenance, looked, named = await asyncio.gather(
        case.in_thread(lambda: read_provenance(case.image.data)), _look(case), name_subjects(case, 0)
    )
    measurements = looked.measurements
    exemplars, problem = _exemplars(case, looked.likeness)
    findings = Findings(
        provenance=provenance,
        measurements=measurements,
        regions=measurements["regions"].regions if "regions" in measurements else (),
        subjects=named.phrases,
        media=named.media,
        steps=named.steps,
        warnings=(*named.warnings, *problem),
    )
    _lay_out(case, findings, named, exemplars, looked.crops)
    return findings


async def prepare_stage(case: Case, findings: Findings, stage: int) -> Findings:
    """The findings, with the subject as it is named by backends that a later stage brings in; they are asked now."""
    if not to_name(case, stage):
        return findings
    with nullcontext() if case.span is None else case.span.part("prepare"):
        named = await name_subjects(case, stage)
    for name, view in case.views.items():
        spec = case.kit.ensemble.backend_of(name)
        if spec in named.asked:
            subject, lack = named.phrases.get(spec), named.lacking.get(spec, NO_SUBJECT)
            case.views[name] = replace(view, subject=subject, no_subject=lack)
    update = {
        "subjects": {**findings.subjects, **named.phrases},
        "media": {**findings.media, **named.media},
        "steps": (*findings.steps, *named.steps),
        "warnings": (*findings.warnings, *named.warnings),
    }
    return findings.model_copy(update=update)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is had of a picture's pixels."""

    measurements: dict[str, Measurement]
    crops: tuple[Picture, ...]
    likeness: int | None
    """To tell it from the exemplars; None where there are none with pictures."""


async def _look(case: Case) -> _Looked:
    """Measurements and cut-outs, after which the pixels are not needed any more."""
    try:
        return await case.in_thread(lambda: _measure_and_cut(case))
    finally:
        case.let_go()


def _measure_and_cut(case: Case) -> _Looked:
    measurements = _measure(case)
    cuts = case.delivered is not None and any("regions" in it.needs for it in case.kit.paradigms.values())
    regions = measurements["regions"].regions if cuts and "regions" in measurements else ()
    shown = any(picture is not None for _, picture in case.kit.exemplars)
    return _Looked(
        measurements=measurements,
        crops=tuple(_crop(case, region) for region in regions),
        likeness=likeness(case.image.pixels()) if shown else None,
    )


def _measure(case: Case) -> dict[str, Measurement]:
    """The measurements that the ensemble's paradigms name."""
    names = {step.measure for paradigm in case.kit.paradigms.values() for step in paradigm.measures}
    if any("regions" in paradigm.needs for paradigm in case.kit.paradigms.values()):
        names.add("regions")
    if not names or min(case.image.width, case.image.height) < MIN_EDGE:
        return {}
    pixels = case.image.pixels()
    return {name: MEASUREMENTS[name](pixels) for name in sorted(names)}


def _exemplars(case: Case, judged: int | None) -> tuple[tuple[ShownExemplar, ...], tuple[str, ...]]:
    """The exemplars for this case, which the judged picture is never among; and a warning if too few are left."""
    shown = case.kit.exemplars
    if not shown:
        return (), ()
    try:
        original = case.image.perturbed_from or case.image.sha256
        chosen = choose_exemplars([exemplar for exemplar, _ in shown], original, judged_likeness=judged)
    except ConfigError as error:
        return (), (str(error),)
    return tuple(item for item in shown if item[0] in chosen), ()


def _lay_out(
    case: Case, findings: Findings, named: Named, exemplars: tuple[ShownExemplar, ...], crops: tuple[Picture, ...]
) -> None:
    """Fill `case.views`: what each paradigm sees, cut-outs included."""
    kit, image = case.kit, case.image
    for name in kit.paradigms:
        spec = kit.ensemble.backend_of(name)
        case.views[name] = View(
            case=image.sha256,
            size=(image.width, image.height),
            image=case.delivered,
            regions=findings.regions,
            region_pictures=crops,
            subject=named.phrases.get(spec or ""),
            no_subject=named.lacking.get(spec or "", NO_SUBJECT),
            exemplars=exemplars,
            measurements=findings.measurements,
        )


def _crop(case: Case, region: Region) -> Picture:
    settings = case.kit.ensemble.image
    return case.image.crop((region.x0, region.y0, region.x1, region.y1), settings.max_edge, settings.quality)
