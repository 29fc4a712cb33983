"""Runs made by hand: a folder with a journal, and if wanted a configuration and pictures."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import PIL.Image
from PIL import ImageDraw

from backends.layers.budget import Amount
from evals.experiment import Experiment
from evals.journal import Header, Journal
from evals.judgment import Costs, Judgment, Vote, votes_of
from fusion.verdict import Basis, Coverage, ImageRecord, Spending, UndecidedBecause, Verdict, Votes
from paradigms.evidence import Evidence
from paradigms.label import Label, Outcome
from paradigms.region import Region, RegionSource
from paradigms.report import Report
from paradigms.signals.provenance import Declaration, Provenance

VOTERS = ("defect_query", "regional", "commonsense", "few_shot", "structural", "stereotype")
SKILL = (0.8, 0.72, 0.85, 0.66, 0.75, 0.7)
G, R, U = Label.GENERATED, Label.REAL, Label.UNDECIDED
HEADER = Header(
    experiment="trial", created_at=datetime(2026, 11, 20, 12, 0, tzinfo=UTC), identity={"data": "0", "arm six": "1"}
)


def write_run(
    folder: Path,
    judgments: Iterable[Judgment],
    words: Callable[[Judgment], dict[str, Any]] | None = None,
    setup: dict[str, Any] | None = None,
) -> Path:
    """A run's folder; `words` makes the verdict that is kept of a judgment with a label under `none`."""
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal.open(folder / "journal.jsonl", HEADER)
    for judgment in judgments:
        kept = words(judgment) if words and judgment.label and judgment.perturbation == "none" else None
        journal.append(judgment, kept, Amount())
    journal.close()
    if setup is not None:
        (folder / "config.yaml").write_text(json.dumps(setup), "utf-8")
    return folder


def setup_of(data: Path, arms: Iterable[str] = ("six",), cases: int = 0, **fields: Any) -> dict[str, Any]:
    """What a run saves of its configuration."""
    content = {
        "name": "trial",
        "description": "Six ways of looking, on drawings.",
        "data": {"path": str(data)},
        "analysis": {"resamples": 100},
    }
    experiment = Experiment.model_validate(content | fields)
    arm = {
        "backend": "scripted:answers.yaml",
        "layout": "shared",
        "fusion": {"strategy": "vote", "quorum": 4, "generated_share": 0.8, "real_share": 0.65},
        "paradigms": {name: {"name": name} for name in VOTERS},
    }
    return {
        "experiment": experiment.model_dump(mode="json"),
        "base": ".",
        "arms": dict.fromkeys(arms, arm),
        "data": {
            "layout": "real_fake",
            "words": "Layout real_fake: folders named by label.",
            "cases": cases,
            "notes": ["2 copies were dropped."],
            "warnings": ["Generated pictures more often are PNG files: 'is PNG' alone tells the labels apart."],
            "leaks": [{"feature": "is PNG", "auc": 0.91, "threshold": 0.6, "reencoded": False, "words": "…"}],
        },
    }


def simulated(
    arm: str = "six", cases: int = 120, seed: int = 0, perturbation: str = "none", drop: float = 0.0
) -> list[Judgment]:
    """Judgments of half real and half generated cases by voters of different skill."""
    made = []
    for place in range(cases):
        draw = random.Random(f"{arm} {seed} {place} {perturbation if drop else ''}")
        truth = (G, R)[place % 2]
        votes = {name: _vote(truth, skill - drop, draw) for name, skill in zip(VOTERS, SKILL, strict=True)}
        said = [vote.label for vote in votes.values() if vote.label]
        made.append(_decided(f"{truth.value}/{place:04}.png", truth, said, votes, arm, perturbation, place))
    return made


def _vote(truth: Label, skill: float, draw: random.Random) -> Vote:
    if draw.random() < 0.04:
        return Vote(outcome=draw.choice((Outcome.REFUSED, Outcome.UNPARSED, Outcome.FAILED)), calls=1)
    if draw.random() < 0.05:
        return Vote(outcome=Outcome.ANSWERED, label=U, calls=1)
    right = draw.random() < skill
    return Vote(outcome=Outcome.ANSWERED, label=truth if right else (G if truth is R else R), calls=2)


def _decided(
    case: str, truth: Label, said: list[Label], votes: dict[str, Vote], arm: str, perturbation: str, place: int
) -> Judgment:
    score = (said.count(G) - said.count(R)) / len(said) if said else None
    label = U if score is None or abs(score) < 0.3 else G if score > 0 else R
    return Judgment(
        case=case,
        sha256=f"{place}",
        truth=truth,
        generator=("Painter A", "Painter B", "Painter C")[place % 3] if truth is G else None,
        source=f"camera {place % 7}" if truth is R else None,
        arm=arm,
        perturbation=perturbation,
        label=label,
        undecided_because=UndecidedBecause.CONFLICT if label is U else None,
        basis=Basis.SEEN,
        score=score,
        p_generated=None if score is None or arm != "fitted" else 0.5 + 0.45 * score,
        votes=votes,
        costs=Costs(
            calls=11,
            attempts=12,
            input_tokens=9000,
            output_tokens=900,
            cost=0.021 if arm == "six" else None,
            seconds=4 + place % 5,
        ),
    )


def judgment(case: str, truth: Label | None, label: Label | None, **fields: Any) -> Judgment:
    """One judgment with plain votes for its label."""
    content: dict[str, Any] = {"case": case, "truth": truth, "label": label, "arm": "six", "basis": Basis.SEEN}
    if label is U:
        content["undecided_because"] = UndecidedBecause.WEAK
    if label is None:
        content |= {"error": "The server did not answer; try again.", "error_kind": "ConnectError", "basis": None}
    elif "votes" not in fields:
        content["votes"] = {name: Vote(outcome=Outcome.ANSWERED, label=label) for name in VOTERS[:3]}
        content["score"] = {G: 1.0, R: -1.0}.get(label, 0.0)
    return Judgment.model_validate(content | fields)


def report(name: str, label: Label, text: str, *evidence: Evidence) -> Report:
    """What a paradigm says."""
    return Report(
        paradigm=name,
        title=name.replace("_", " ").capitalize(),
        question="Real or generated?",
        outcome=Outcome.ANSWERED,
        label=label,
        evidence=evidence,
        text=text,
        backend="scripted:answers.yaml",
        prompt_version="1",
    )


def sign(
    name: str, box: tuple[float, float, float, float] | None, side: Any = "generated", paradigm: str = "regional"
) -> Evidence:
    """A piece of evidence, with a region if there is a box."""
    region = Region(x0=box[0], y0=box[1], x1=box[2], y1=box[3]) if box else None
    return Evidence(
        name=name,
        phenomenon=f"{name} to be seen",
        severity=4,
        points_to=side,
        region=region,
        region_source=RegionSource.MODEL if region else None,
        paradigm=paradigm,
    )


def verdict(label: Label, reports: tuple[Report, ...], case: str = "case.png") -> dict[str, Any]:
    """A verdict as the journal keeps it."""
    votes = Votes(
        generated=sum(it.label is G for it in reports),
        real=sum(it.label is R for it in reports),
        undecided=sum(it.label is U for it in reports),
    )
    made = Verdict(
        id="1",
        created_at=datetime(2026, 11, 20, tzinfo=UTC),
        config_sha256="0",
        ensemble="six",
        image=ImageRecord(
            path=None, name=case, sha256="0", format="PNG", width=64, height=48, frames=1, delivered=None
        ),
        label=label,
        undecided_because=UndecidedBecause.CONFLICT if label is U else None,
        basis=Basis.SEEN,
        headline=f"Reads as {label.value} in {max(votes.generated, votes.real)} of {len(reports)} examinations.",
        votes=votes,
        score=(votes.generated - votes.real) / max(1, votes.answered),
        explanation="",
        evidence=tuple(it for one in reports for it in one.evidence),
        reports=reports,
        provenance=Provenance(declaration=Declaration.NONE),
        coverage=Coverage(total=len(reports), answered=len(reports), refused=0, unparsed=0, failed=0, skipped=0),
        usage=Spending(),
        versions={},
    )
    assert votes_of(made)
    return made.model_dump(mode="json", exclude_defaults=True)


def draw_picture(path: Path, place: int = 0, size: tuple[int, int] = (96, 72)) -> str:
    """A small drawing; its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = PIL.Image.new("RGB", size, ((40 * place) % 200 + 30, (90 * place) % 200 + 30, 120))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((size[0] * 0.2, size[1] * 0.2, size[0] * 0.6, size[1] * 0.8), fill=(230, 200, (place * 31) % 255))
    pen.line((0, size[1] * 0.9, size[0], size[1] * 0.6), fill=(20, 20, 20), width=3)
    picture.save(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()
