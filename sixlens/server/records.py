"""What requests and responses hold, for the OpenAPI document. Responses are made in `views`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from fusion.verdict import UndecidedBecause, Verdict
from paradigms.evidence import Evidence
from paradigms.label import Label

Status = Literal["queued", "running", "done", "failed"]
Decided = Literal["real", "generated", "cannot_tell"]
ReviewReason = Literal["undecided", "dissent", "random", "appeal", "asked"]
ReviewStatus = Literal["waiting", "decided", "closed"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ErrorDetail(BaseModel):
    """Why a request was refused, or why there is no verdict."""

    model_config = ConfigDict(extra="allow")

    kind: str
    message: str


class ErrorBody(_Record):
    """Every error has this shape."""

    error: ErrorDetail


class PictureInfo(_Record):
    """The picture of a judgment."""

    name: str
    sha256: str | None
    bytes: int | None
    kept: bool


class ReviewState(_Record):
    """Whether a person looks at it."""

    status: Literal["none", "waiting", "decided", "closed"]
    reason: ReviewReason | None


class Decision(_Record):
    """What a person decided."""

    decision: Decided
    note: str
    reviewer: str
    blind: bool
    decided_at: AwareDatetime


class Summary(_Record):
    """A judgment in a list."""

    id: str
    status: Status
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    ensemble: str
    reference: str | None
    label: Label | None
    undecided_because: UndecidedBecause | None
    headline: str | None
    error: ErrorDetail | None
    image: PictureInfo
    review: ReviewState
    decision: Decision | None
    supersedes: str | None
    superseded_by: str | None


class Appeal(_Record):
    """An objection, and the judgment that followed."""

    reason: str
    created_at: AwareDatetime
    judgment: str
    status: Status


class Links(_Record):
    """Addresses; null for what is not to be had now."""

    self: str
    events: str
    report: str | None
    picture: str | None
    verdict: str | None
    appeal: str | None


class Judgment(Summary):
    """A judgment with everything."""

    verdict: Verdict | None
    position: int | None
    deadline_s: float | None
    decisions: list[Decision]
    appeals: list[Appeal]
    links: Links


class Judgments(_Record):
    """A page of judgments, newest first."""

    items: list[Summary]
    next_cursor: str | None


class SeenPicture(_Record):
    """The picture of a case in review."""

    name: str | None
    width: int
    height: int
    kept: bool


class BlindEvidence(_Record):
    """What was seen, without what tells for which side it was taken."""

    name: str
    phenomenon: str
    category: str
    region: Any
    region_source: str | None
    paradigm: str


class Review(_Record):
    """A case that waits for a person, or that one has decided."""

    id: str
    status: ReviewStatus
    reason: ReviewReason
    created_at: AwareDatetime
    blind: bool
    judgment: str | None
    reference: str | None
    image: SeenPicture
    verdict: Verdict | None
    label: Label | None
    headline: str | None
    evidence: list[Evidence | BlindEvidence]
    appeal: str | None
    decisions: list[Decision]


class Reviews(_Record):
    """A page of the review queue, oldest first."""

    items: list[Review]
    next_cursor: str | None
    waiting: int


class DecisionRequest(_Record):
    """A person's decision about a case."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"decision": "real", "note": "The original is on my desk.", "reviewer": "A. Editor"}]
        },
    )

    decision: Decided
    note: str = Field(default="", max_length=4000)
    reviewer: str = Field(min_length=1, max_length=200)


class SessionRequest(_Record):
    """The token, to be kept in a cookie."""

    token: str = Field(min_length=1, max_length=4096)


class Session(_Record):
    """Whether a token is needed, and whether this browser has shown it."""

    token_required: bool
    signed_in: bool


class BackendInfo(_Record):
    """Who is asked."""

    spec: str
    destination: str
    hosted: bool | None
    missing_key: str | None


class ParadigmInfo(_Record):
    """One way of looking."""

    name: str
    title: str
    question: str
    asks: bool


class EnsembleInfo(_Record):
    """What can be chosen, and where the picture goes then."""

    name: str
    description: str
    asks: bool
    fusion: str
    hosted: bool
    picture: str
    backends: list[BackendInfo]
    paradigms: list[ParadigmInfo]
    max_edge: int
    deadline_s: float


class Ensembles(_Record):
    """What can be chosen here, and the limits of this server."""

    default: str
    items: list[EnsembleInfo]
    allow_urls: bool
    max_bytes: int
    max_deadline_s: float
    keep_pictures: bool
    retention_days: float
    review_share: float
    version: str


class Health(_Record):
    """Whether the server works."""

    status: str
