"""The fused outcome of a case, as it is printed and kept."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from backends.completion import TokenUsage
from paradigms.evidence import Evidence
from paradigms.label import Label
from paradigms.report import Report, StepRecord
from paradigms.signals.provenance import Provenance

SCHEMA_VERSION: Literal["1"] = "1"


class UndecidedBecause(StrEnum):
    """Why a verdict is `undecided`."""

    NO_EYES = "no_eyes"
    """No model looked at the picture."""
    CONFLICT = "conflict"
    """There is weight on both sides."""
    WEAK = "weak"
    """What was found is not enough for either side."""
    BELOW_QUORUM = "below_quorum"
    """Too few examinations came to a label."""
    UNSTABLE = "unstable"
    """Mild variants of the picture are judged differently."""
    NOT_A_PHOTOGRAPH = "not_a_photograph"
    """It presents itself as a drawing, a render, a screenshot or a document."""
    AI_EDITED = "ai_edited"
    """The file declares that a picture was edited with AI."""
    BUDGET = "budget"
    """The budget was spent before enough examinations were made."""


class Basis(StrEnum):
    """What a verdict rests on. The file's own word and what was seen in the picture are never mixed up."""

    DECLARED_SIGNED = "declared_signed"
    DECLARED_UNSIGNED = "declared_unsigned"
    SEEN = "seen"
    NONE = "none"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DeliveredImage(_Record):
    """The picture as the models saw it."""

    width: int
    height: int
    bytes: int
    media_type: str
    sha256: str


class ImageRecord(_Record):
    """The picture under judgment."""

    path: str | None
    """As the user gave it; None for bytes."""
    name: str
    sha256: str
    """Of the original file, hexadecimal."""
    format: str
    width: int
    height: int
    """Pixels of the upright original."""
    frames: int
    delivered: DeliveredImage | None
    """None when nothing was to be delivered: no model, or too small a picture."""
    notes: tuple[str, ...] = ()


class Votes(_Record):
    """How the examinations with eyes came out. Measurements do not vote."""

    generated: int = 0
    real: int = 0
    undecided: int = 0
    """Answered, but without leaning to either side."""

    @property
    def cast(self) -> int:
        """Votes for one of the two sides."""
        return self.generated + self.real

    @property
    def answered(self) -> int:
        """All answers, hedges included."""
        return self.cast + self.undecided


class Coverage(_Record):
    """How the reports ended. The five counts add up to `total`."""

    total: int
    answered: int
    refused: int
    unparsed: int
    failed: int
    skipped: int

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.answered + self.refused + self.unparsed + self.failed + self.skipped != self.total:
            raise ValueError("the five outcomes add up to the total")
        return self


class CalibrationNote(_Record):
    """The calibration that set `p_generated`, with what was measured of it."""

    name: str
    data: str
    n: int = Field(ge=1)
    prior: float = Field(gt=0, lt=1)
    """The share of generated pictures that was assumed."""
    false_positive_rate: float = Field(ge=0, le=1)
    false_positive_interval: tuple[float, float]
    miss_rate: float = Field(ge=0, le=1)
    """Generated pictures called photographs."""
    miss_interval: tuple[float, float]
    found_rate: float = Field(ge=0, le=1)
    """Generated pictures called generated; what is in neither rate was left undecided."""
    found_interval: tuple[float, float]


class Dissent(_Record):
    """An examination that came out against the verdict."""

    paradigm: str
    label: Label
    reason: str
    """Its strongest point, in words."""


class Variant(_Record):
    """A mild variant of the picture, and what became of it. Without a label it could not be judged."""

    name: str
    """The perturbation, for example `jpeg_75`."""
    label: Label | None = None
    undecided_because: UndecidedBecause | None = None
    score: float | None = Field(default=None, ge=-1, le=1)
    error: str | None = None
    """Why it could not be judged."""


class Stability(_Record):
    """How the label stood when mild variants of the picture were judged too."""

    label: Label
    """What the picture itself reads as."""
    variants: tuple[Variant, ...]
    agreeing: int = Field(ge=0)
    """Variants of the same label."""
    flipped_by: tuple[str, ...]
    """Variants that were decided for the other side."""
    stable: bool | None
    """None when no variant could be judged."""
    """False when a variant is decided for the other side, or at least half of those judged are undecided."""


class Spending(_Record):
    """What a case cost. `cost` is in US dollars, None when a price is unknown."""

    calls: int = Field(default=0, ge=0)
    """Answers that came from a backend; cache hits are not among them."""
    attempts: int = Field(default=0, ge=0)
    """Requests that went out, failed ones and repeats included."""
    cache_hits: int = Field(default=0, ge=0)
    tokens: TokenUsage = TokenUsage()
    cost: float | None = None
    seconds: float = Field(default=0.0, ge=0)
    """Wall clock of the whole case, waiting included."""
    notes: tuple[str, ...] = ()
    """For example why nothing came out of the provider's prefix cache."""


class Verdict(_Record):
    """One explained verdict."""

    schema_version: Literal["1"] = SCHEMA_VERSION
    id: str
    created_at: AwareDatetime
    """UTC."""
    config_sha256: str
    """Of everything in the ensemble that can change the outcome, prompts included."""
    ensemble: str
    image: ImageRecord
    label: Label
    undecided_because: UndecidedBecause | None = None
    basis: Basis
    headline: str
    """The label in words for people, with what it does not mean."""
    votes: Votes
    score: float | None = Field(default=None, ge=-1, le=1)
    """For ranking: (votes for generated - votes for real) / answers; None when nobody with eyes answered.
    Not a probability."""
    p_generated: float | None = Field(default=None, ge=0, le=1)
    """None until a calibration sets it."""
    calibration: CalibrationNote | None = None
    explanation: str
    evidence: tuple[Evidence, ...] = ()
    """Strongest first, both sides."""
    reports: tuple[Report, ...]
    preparation: tuple[StepRecord, ...] = ()
    """The questions for the main subject, before the examinations."""
    panel: Report | None = None
    """What the panel said, if it was asked."""
    dissent: tuple[Dissent, ...] = ()
    stability: Stability | None = None
    """How mild variants of the picture were judged; None when none were."""
    subject: str | None = None
    medium: str | None = None
    provenance: Provenance
    coverage: Coverage
    warnings: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    usage: Spending
    versions: dict[str, str]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.label is Label.UNDECIDED) != (self.undecided_because is not None):
            raise ValueError("an undecided verdict says why, and no other does")
        if (self.p_generated is None) != (self.calibration is None):
            raise ValueError("p_generated and its calibration come together")
        if (self.score is None) != (self.votes.answered == 0):
            raise ValueError("there is a score when a model answered, and only then")
        return self
