"""The last node: from whatever reports arrived to the verdict."""

from __future__ import annotations

import platform
import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version

from backends.errors import NoVerdictError
from fusion.decision import Hearing, count, undecided
from fusion.declaration import ProvenanceMode, Ruling, rule, statement
from fusion.explanation import dissenters, explain, headline, next_steps, rank
from fusion.panel import panel_variables
from fusion.strategies import strategy
from fusion.verdict import Coverage, DeliveredImage, ImageRecord, UndecidedBecause, Verdict
from orchestrator.case import Case
from orchestrator.findings import Findings
from orchestrator.prefix import prefix_notes
from paradigms.examination import Examination
from paradigms.label import Cause, Outcome
from paradigms.report import Report
from paradigms.subject import Medium
from paradigms.view import View


async def fuse(case: Case, findings: Findings, reports: Mapping[str, Report]) -> Verdict:
    """The verdict on a case.

    Raises:
        NoVerdictError: models were asked, and none of them answered.
    """
    kit, ensemble = case.kit, case.kit.ensemble
    complete = tuple(reports.get(name) or _left_out(case, findings, name) for name in ensemble.paradigms)
    if kit.calibration is None or all(report.score is None for report in complete):
        _somebody_answered(complete, findings)

    async def panel() -> Report | None:
        return await _ask_panel(case, findings, complete)

    if presents_otherwise(case, findings):
        # Some may have judged before a backend of a later stage said so.
        decision = undecided(UndecidedBecause.NOT_A_PHOTOGRAPH)
    else:
        decision = await strategy(ensemble.fusion.strategy, kit.calibration)(complete, Hearing(ensemble.fusion, panel))
    return _verdict(case, findings, complete, rule(decision, complete, findings.provenance, ensemble.provenance))


def presents_otherwise(case: Case, findings: Findings) -> bool:
    """Whether the picture is no photograph by its own showing, and the ensemble stops there."""
    other = findings.medium not in (None, Medium.PHOTOGRAPH)
    return other and case.kit.ensemble.not_a_photograph == "undecided"


def _left_out(case: Case, findings: Findings, name: str) -> Report:
    """The report of a paradigm that the graph never reached."""
    if presents_otherwise(case, findings):
        cause, reason = Cause.NOT_A_PHOTOGRAPH, f"the picture presents itself as a {findings.medium}"
    else:
        cause, reason = Cause.STOPPED_EARLY, "an earlier stage had settled the case"
    if name in case.kit.scorers:
        return case.scoring(name).report(Outcome.SKIPPED, cause=cause, reason=reason)
    examination = Examination(case.kit.paradigms[name], case.views[name], case.means(None))
    return examination.report(Outcome.SKIPPED, cause=cause, reason=reason)


def _somebody_answered(reports: tuple[Report, ...], findings: Findings) -> None:
    heard = (Outcome.REFUSED, Outcome.UNPARSED)
    if any(report.has_eyes or report.outcome in heard for report in reports):
        return
    silent = [report for report in reports if report.outcome is Outcome.FAILED or report.cause is Cause.DEADLINE]
    if not silent:
        return
    declared = statement(findings.provenance)
    raise NoVerdictError(f"No backend answered: {silent[0].reason}" + (f" ({declared})" if declared else ""))


async def _ask_panel(case: Case, findings: Findings, reports: tuple[Report, ...]) -> Report | None:
    kit = case.kit
    spec = kit.ensemble.panel_backend
    if spec is None or case.delivered is None:
        return None
    said = statement(findings.provenance) if kit.ensemble.provenance is ProvenanceMode.EVIDENCE else ""
    view = View(case=case.image.sha256, size=(case.image.width, case.image.height), image=case.delivered)
    variables = panel_variables(reports, said, kit.renderer)
    examination = Examination(kit.panel, view, case.means(kit.backends[spec]), variables)
    return await case.attend(kit.panel.name, examination, "fusion")


def _verdict(case: Case, findings: Findings, reports: tuple[Report, ...], ruling: Ruling) -> Verdict:
    decision = ruling.decision
    votes = count(reports)
    evidence = rank(reports)
    dissent = dissenters(decision.label, reports)
    said = headline(ruling, votes, findings.provenance, reports)
    return Verdict(
        id=str(uuid.uuid4()),
        created_at=datetime.now(UTC).replace(microsecond=0),
        config_sha256=case.kit.config_sha256,
        ensemble=case.kit.ensemble.name,
        image=_image(case),
        label=decision.label,
        undecided_because=decision.undecided_because,
        basis=ruling.basis,
        headline=said,
        votes=votes,
        score=round((votes.generated - votes.real) / votes.answered, 4) if votes.answered else None,
        p_generated=decision.p_generated,
        calibration=decision.calibration,
        explanation=explain(ruling, said, evidence, dissent, reports),
        evidence=evidence,
        reports=reports,
        preparation=findings.steps,
        panel=decision.panel,
        dissent=dissent,
        subject=next(iter(findings.subjects.values()), None),
        medium=findings.medium.value if findings.medium else None,
        provenance=findings.provenance,
        coverage=_coverage(reports),
        warnings=(*findings.warnings, *decision.warnings),
        next_steps=next_steps(ruling, reports),
        usage=case.ledger.spending(prefix_notes(case)),
        versions=dict(_versions()),
    )


def _image(case: Case) -> ImageRecord:
    image, sent = case.image, case.delivered
    delivered = None
    if sent is not None:
        delivered = DeliveredImage(
            width=sent.width, height=sent.height, bytes=len(sent.data), media_type=sent.media_type, sha256=sent.sha256
        )
    return ImageRecord(
        path=image.path,
        name=image.name,
        sha256=image.sha256,
        format=image.format,
        width=image.width,
        height=image.height,
        frames=image.frames,
        delivered=delivered,
        notes=image.notes,
    )


def _coverage(reports: tuple[Report, ...]) -> Coverage:
    counts = Counter(report.outcome for report in reports)
    return Coverage(total=len(reports), **{outcome.value: counts[outcome] for outcome in Outcome})


@lru_cache(maxsize=1)
def _versions() -> tuple[tuple[str, str], ...]:
    names = ("sixlens", "langgraph", "pillow", "pydantic", "c2pa-python")
    return (("python", platform.python_version()), *((name, version(name)) for name in names))
