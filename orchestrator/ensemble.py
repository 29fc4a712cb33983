"""The configuration of an ensemble: which paradigms, on which backends, fused how."""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from backends.errors import ConfigError
from backends.providers.address import parse_address
from fusion.decision import Rules
from fusion.declaration import ProvenanceMode
from orchestrator.perturbations import MILD
from paradigms.paradigm import NAME, Layout
from paradigms.view import TokenLimits

_NODES = ("prepare", "fuse", "panel")
_ENSEMBLE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$"


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ParadigmChoice(_Config):
    """One paradigm of an ensemble, or (`kind: score`) a trained detector that gives each picture a score.

    A score comes out of `file` or from `url`. It does not vote: it joins the fitted fusions alone.
    """

    kind: Literal["paradigm", "score"] = "paradigm"
    file: str | None = None
    """Its YAML file, relative to the ensemble's; None for one that ships. Of a score: a CSV file with the columns
    `score` and `case` or `sha256`."""
    backend: str | None = None
    """Who is asked; None for the ensemble's backend."""
    url: str | None = None
    """Of a score: the service that gets the original bytes of each picture and answers `{"score": NUMBER}`."""
    hosted: bool = False
    """Of a score: pictures may leave this machine for `url`, as original files with all their metadata."""
    seconds: float = Field(default=30.0, gt=0, le=600)
    """Of a score: how long `url` may take for one answer."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.kind == "paradigm":
            if self.url is not None or self.hosted:
                raise ValueError("`url` and `hosted` belong to a member of `kind: score`")
            return self
        if self.backend is not None:
            raise ValueError("a member of `kind: score` asks no backend; give it `file` or `url`")
        if (self.file is None) == (self.url is None):
            raise ValueError("a member of `kind: score` needs either `file` or `url`")
        if self.hosted and self.url is None:
            raise ValueError("`hosted` goes with `url`")
        if self.url is not None:
            try:
                loopback = parse_address(self.url).loopback
            except ConfigError as error:
                raise ValueError(str(error)) from error
            if not loopback and not self.hosted:
                raise ValueError("original pictures would leave this machine for `url`; say `hosted: true` to allow it")
        return self


class FusionSettings(Rules):
    """How reports become a verdict."""

    strategy: str
    backend: str | None
    """The panel's backend; None for the ensemble's."""
    calibration: str | None
    """The file of a fitted calibration, relative to the ensemble's; for `log_odds` and `stacked` alone."""


class SamplingSettings(_Config):
    """How answers are drawn."""

    temperature: float | None = Field(ge=0, le=2)
    """None leaves it to the server."""
    seed: int | None
    samples: int = Field(ge=1, le=50)
    """Answers asked for where a verdict is asked for, inclusive; more than one needs a temperature above 0."""

    @model_validator(mode="after")
    def _samples_differ(self) -> Self:
        if self.samples > 1 and self.temperature == 0:
            raise ValueError(
                "sampling.samples above 1 needs a sampling.temperature above 0, or all answers are the same"
            )
        return self


class ImageSettings(_Config):
    """How the picture is delivered."""

    max_edge: int = Field(ge=64, le=8192)
    """The longer edge in pixels, inclusive; pictures are never enlarged."""
    quality: int = Field(ge=1, le=95)
    """JPEG quality."""


class Deadlines(_Config):
    """Seconds. `case` counts from the first call that gets a slot, and `fusion` of it is kept back for the panel."""

    case: float = Field(gt=0)
    fusion: float = Field(ge=0)
    request: float = Field(gt=0)
    """For one answer, all attempts and waits together, from its first slot on."""
    attempt: float = Field(gt=0)
    connect: float = Field(gt=0)

    @model_validator(mode="after")
    def _room(self) -> Self:
        if self.fusion >= self.case:
            raise ValueError("deadlines.fusion must be less than deadlines.case")
        return self


class RetrySettings(_Config):
    """How often one question may be asked in all, and the longest wait between two attempts in seconds."""

    attempts: int = Field(ge=1, le=100)
    max_wait: float = Field(ge=0)


class BackendLimits(_Config):
    """What is other than in `limits` for one backend; what is left out is as there."""

    start: int | None = Field(default=None, ge=1)
    ceiling: int | None = Field(default=None, ge=1)
    rpm: int | None = Field(default=None, ge=1)
    tpm: int | None = Field(default=None, ge=1)


class LimitSettings(_Config):
    """Calls in flight to one endpoint, account and model."""

    start: int = Field(ge=1)
    ceiling: int = Field(ge=1)
    rpm: int | None = Field(ge=1)
    """Requests a minute, inclusive."""
    tpm: int | None = Field(ge=1)
    """Tokens a minute, inclusive."""
    backends: dict[str, BackendLimits]
    """What is other for single backends, by their spec."""

    def of(self, spec: str) -> LimitSettings:
        """The limits of one backend."""
        own = self.backends.get(spec, BackendLimits()).model_dump(exclude_none=True)
        return self.model_copy(update=own)


class BudgetSettings(_Config):
    """The most that may be spent, inclusive; None for no limit."""

    calls: int | None = Field(ge=0)
    """Attempts of the whole run."""
    tokens: int | None = Field(ge=0)
    cost: float | None = Field(ge=0)
    """US dollars."""
    case_calls: int | None = Field(ge=0)
    """Attempts of one case."""


class Ensemble(_Config):
    """An ensemble as it is used: every setting resolved. The defaults stand in `prompts/defaults.yaml`."""

    name: str = Field(pattern=_ENSEMBLE_NAME)
    description: str
    ask: bool
    backend: str | None
    fallback: tuple[str, ...]
    backends: dict[str, dict[str, Any]]
    layout: Layout
    paradigms: dict[str, ParadigmChoice] = Field(min_length=1)
    stages: tuple[tuple[str, ...], ...]
    stop_when: tuple[Literal["agreement", "declared", "spent"], ...]
    fusion: FusionSettings
    provenance: ProvenanceMode
    not_a_photograph: Literal["undecided", "judge"]
    stability: int = Field(ge=0, le=len(MILD))
    """How many mild variants of a picture are judged too; a label that they flip becomes `undecided, unstable`."""
    sampling: SamplingSettings
    tokens: TokenLimits
    image: ImageSettings
    deadlines: Deadlines
    retry: RetrySettings
    limits: LimitSettings
    budget: BudgetSettings
    prices: str | None
    cache: bool
    exemplars: str | None
    strict: bool

    @field_validator("name", mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        """Refuse a name in words, since a pattern says little to people."""
        if isinstance(value, str) and not re.fullmatch(_ENSEMBLE_NAME, value):
            raise ValueError("letters, digits, _, . and - only, at most 80, and a letter or digit first")
        return value

    @field_validator("paradigms")
    @classmethod
    def _names(cls, value: dict[str, ParadigmChoice]) -> dict[str, ParadigmChoice]:
        for name in value:
            if not re.fullmatch(NAME, name) or name in _NODES:
                raise ValueError(f"{name!r} is no paradigm name: lower case letters, digits and _ only, not {_NODES}")
        return value

    @model_validator(mode="after")
    def _stages_cover(self) -> Self:
        staged = [name for stage in self.stages for name in stage]
        if self.stages and sorted(staged) != sorted(self.paradigms):
            raise ValueError("stages must name every paradigm exactly once")
        return self

    @model_validator(mode="after")
    def _nothing_leaves(self) -> Self:
        if not self.ask and any(choice.hosted for choice in self.paradigms.values()):
            raise ValueError("with `ask: false` nothing leaves this machine, so no score may be `hosted: true`")
        return self

    @property
    def scores(self) -> dict[str, ParadigmChoice]:
        """The members of `kind: score`, by name."""
        return {name: choice for name, choice in self.paradigms.items() if choice.kind == "score"}

    @property
    def all_stages(self) -> tuple[tuple[str, ...], ...]:
        """The stages, at least one."""
        return self.stages or (tuple(self.paradigms),)

    def backend_of(self, paradigm: str) -> str | None:
        """The spec of the backend that a paradigm asks, or None."""
        return (self.paradigms[paradigm].backend or self.backend) if self.ask else None

    @property
    def panel_backend(self) -> str | None:
        """The spec of the backend that the panel asks, or None."""
        if not self.ask:
            return None
        asked = self.fusion.backend or self.backend
        return asked or next((choice.backend for choice in self.paradigms.values() if choice.backend), None)
