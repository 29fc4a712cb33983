"""Gathering what several paradigms need: provenance, measurements, regions, the delivered picture, the subject."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from backends.backend import Backend
from backends.errors import BudgetError, ConfigError, SixlensError
from backends.request import Picture
from orchestrator.case import Case, ShownExemplar
from orchestrator.findings import Findings
from paradigms.conversation import Conversation
from paradigms.exemplars import choose_exemplars
from paradigms.region import Region
from paradigms.render import Sight
from paradigms.signals.measurement import MEASUREMENTS, Measurement
from paradigms.signals.provenance import read_provenance
from paradigms.subject import Medium, Subject, read_subject
from paradigms.view import View

MIN_EDGE = 8
"""A picture whose shorter side has fewer pixels is judged by its provenance alone."""


async def prepare(case: Case) -> Findings:
    """Gather everything, side by side, and lay it out for each paradigm in `case.views`.

    The picture is delivered first, since the one question about it takes longest. Measurements and provenance read the
    original.
    """
    looks = case.kit.ensemble.ask and min(case.image.width, case.image.height) >= MIN_EDGE
    if looks:
        settings = case.kit.ensemble.image
        case.delivered = await case.in_thread(lambda: case.image.deliver(settings.max_edge, settings.quality))
    provenance, measurements, (subjects, warnings) = await asyncio.gather(
        case.in_thread(lambda: read_provenance(case.image.data)),
        case.in_thread(lambda: _measure(case)),
        _ask_subjects(case),
    )
    regions = measurements["regions"].regions if "regions" in measurements else ()
    findings = Findings(
        provenance=provenance,
        measurements=measurements,
        regions=regions,
        subjects={spec: subject.phrase for spec, subject in subjects.items() if subject.phrase is not None},
        medium=_agreed({subject.medium for subject in subjects.values()}),
        warnings=warnings,
    )
    exemplars, problem = _exemplars(case)
    await case.in_thread(lambda: _lay_out(case, findings, exemplars))
    # Nothing after this needs the decoded pixels, by far the largest thing about a case.
    case.image.release()
    return findings.model_copy(update={"warnings": (*findings.warnings, *problem)})


def _measure(case: Case) -> dict[str, Measurement]:
    """The measurements that the ensemble's paradigms name."""
    names = {step.measure for paradigm in case.kit.paradigms.values() for step in paradigm.measures}
    if any("regions" in paradigm.needs for paradigm in case.kit.paradigms.values()):
        names.add("regions")
    if not names or min(case.image.width, case.image.height) < MIN_EDGE:
        return {}
    pixels = case.image.pixels()
    return {name: MEASUREMENTS[name](pixels) for name in sorted(names)}


async def _ask_subjects(case: Case) -> tuple[Mapping[str, Subject], tuple[str, ...]]:
    """The subject by backend spec, from every backend whose paradigms start from it; one question to each."""
    kit = case.kit
    specs = [kit.ensemble.backend_of(name) for name, paradigm in kit.paradigms.items() if "subject" in paradigm.needs]
    needed = sorted({spec for spec in specs if spec is not None})
    if case.delivered is None or not needed:
        return {}, ()
    answers = await asyncio.gather(*(_ask_subject(case, kit.backends[spec]) for spec in needed))
    warnings = tuple(answer for answer in answers if isinstance(answer, str))
    return {spec: got for spec, got in zip(needed, answers, strict=True) if isinstance(got, Subject)}, warnings


async def _ask_subject(case: Case, backend: Backend) -> Subject | str:
    """The subject as the backend names it, or one line that says why there is none."""
    renderer = case.kit.renderer
    schema = renderer.takes_form(backend.capabilities)
    talk = Conversation("prepare", case.image.sha256, case.means(backend), backend, schema=schema)
    messages = renderer.question(renderer.common.subject, {}, Sight(case.delivered), verdict=False)
    try:
        async with case.deadline.scope():
            completion = await talk.ask("subject", messages, "subject")
    except BudgetError as error:
        return f"The main subject was not asked for: {error}"
    except SixlensError as error:
        return f"The main subject could not be asked for: {error}"
    except TimeoutError:
        return "The main subject was not named in time."
    subject = read_subject(completion.text)
    return subject if subject.phrase else "No main subject could be read from the answer."


def _agreed(media: set[Medium | None]) -> Medium | None:
    """The one medium that every backend named."""
    return next(iter(media)) if len(media) == 1 else None


def _exemplars(case: Case) -> tuple[tuple[ShownExemplar, ...], tuple[str, ...]]:
    """The exemplars for this case, which the judged picture is never among; and a warning if too few are left."""
    shown = case.kit.exemplars
    if not shown:
        return (), ()
    try:
        chosen = choose_exemplars([exemplar for exemplar, _ in shown], case.image.sha256)
    except ConfigError as error:
        return (), (str(error),)
    return tuple(item for item in shown if item[0] in chosen), ()


def _lay_out(case: Case, findings: Findings, exemplars: tuple[ShownExemplar, ...]) -> None:
    """Fill `case.views`: what each paradigm sees, cut-outs included."""
    kit, image = case.kit, case.image
    crops: tuple[Picture, ...] = ()
    if case.delivered is not None and any("regions" in paradigm.needs for paradigm in kit.paradigms.values()):
        crops = tuple(_crop(case, region) for region in findings.regions)
    for name in kit.paradigms:
        spec = kit.ensemble.backend_of(name)
        case.views[name] = View(
            case=image.sha256,
            size=(image.width, image.height),
            image=case.delivered,
            regions=findings.regions,
            region_pictures=crops,
            subject=findings.subjects.get(spec) if spec else None,
            exemplars=exemplars,
            measurements=findings.measurements,
        )


def _crop(case: Case, region: Region) -> Picture:
    settings = case.kit.ensemble.image
    return case.image.crop((region.x0, region.y0, region.x1, region.y1), settings.max_edge, settings.quality)
