"""A fitted calibration: what each paradigm's word weighs, from where on the sum is a label, and how well that did."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from backends.yaml_file import build, read_yaml
from fusion.remembered import DIGEST, LOOK, unpacked
from fusion.verdict import CalibrationNote
from paradigms.label import Label

FittedStrategy = Literal["log_odds", "stacked"]
LIMIT = 4.0
"""How far a score (in its scale) or the log-odds of a stated chance may reach, so that no single number decides."""
HEADER = "# A calibration. An ensemble uses it with `fusion: {strategy: %s, calibration: THIS FILE}`.\n"


@dataclass(frozen=True, slots=True)
class Saying:
    """What one paradigm said of a case, as a calibration hears it. All None: nothing was said."""

    label: Label | None = None
    """`undecided` for a hedge; None when nobody with eyes answered."""
    p_generated: float | None = None
    score: float | None = None

    @property
    def spoken(self) -> bool:
        """Whether it counts towards the minimum: a vote or a score, but no hedge."""
        return self.label in (Label.GENERATED, Label.REAL) or self.score is not None


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ScoreWeight(_Record):
    """What a score adds: `offset + weight × (score - center) / scale`, the quotient kept within ±4."""

    center: float
    scale: float = Field(gt=0)
    weight: float
    offset: float = 0.0


class Member(_Record):
    """What a paradigm's word adds to the log-odds of `generated`. Silence adds nothing."""

    generated: float = 0.0
    real: float = 0.0
    undecided: float = 0.0
    """For a hedge: it answered, and came to no side."""
    certainty: float = 0.0
    """Times the log-odds of the chance that it states, kept within ±4."""
    score: ScoreWeight | None = None

    def adds(self, saying: Saying) -> float:
        """What this saying adds to the log-odds."""
        by_label = {Label.GENERATED: self.generated, Label.REAL: self.real, Label.UNDECIDED: self.undecided}
        total = by_label[saying.label] if saying.label is not None else 0.0
        if saying.p_generated is not None and self.certainty:
            total += self.certainty * bounded_logit(saying.p_generated)
        if saying.score is not None and self.score is not None:
            weight = self.score
            reach = max(-LIMIT, min(LIMIT, (saying.score - weight.center) / weight.scale))
            total += weight.offset + weight.weight * reach
        return total


class Thresholds(_Record):
    """From where on the chance of `generated` is a label: `generated` and above, `real` and below, both inclusive."""

    generated: float = Field(ge=0, le=1)
    real: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.real >= self.generated:
            raise ValueError("thresholds.real must lie below thresholds.generated")
        return self


class Rate(_Record):
    """A share with its 95 % interval and what it was counted from.

    The interval is Clopper and Pearson's; where sources are taken as independent, Korn and Graubard's.
    """

    rate: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    count: int = Field(ge=0)
    of: int = Field(ge=1)
    units: int | None = Field(default=None, ge=1)
    """What the interval takes as independent: so many sources, or `of` cases; None where it is not known."""

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if not self.low <= self.rate <= self.high or self.count > self.of:
            raise ValueError("a rate lies inside its interval, and no more are counted than there are")
        return self


class Quality(_Record):
    """How well the chances held on cases that were not fitted on."""

    n: int = Field(ge=1)
    balanced_accuracy: float | None = Field(default=None, ge=0, le=1)
    """Of the side that the evidence leans to with even odds before the votes, for every case, decided or not; None when
    there is one class only."""
    auc: float | None = Field(default=None, ge=0, le=1)
    """None when the cases have one class only."""
    ece: float = Field(ge=0, le=1)
    """Expected calibration error, ten bins of about equal numbers of cases, the classes weighted to the prior."""
    false_positives: Rate | None = None
    """Photographs called generated; None without photographs."""


class BaseRate(_Record):
    """Of 100 pictures called generated, how many would be, when so many of 100 pictures are."""

    generated_of_100: float = Field(gt=0, lt=100)
    right_of_100: float | None = Field(default=None, ge=0, le=100)
    """None when nothing is called generated."""
    at_least: float | None = Field(default=None, ge=0, le=100)
    """With both rates at the unfavourable ends of their intervals."""


class Measured(_Record):
    """What was measured of a calibration, on held-out cases."""

    scheme: str
    """How cases were held out, in words."""
    target_false_positive_rate: float = Field(gt=0, lt=1)
    target_supported: bool
    """Whether the interval of `false_positives` ends at the target or below."""
    false_positives: Rate
    """Photographs called generated."""
    misses: Rate
    """Generated pictures called real."""
    found: Rate
    """Generated pictures called generated."""
    decided: float = Field(ge=0, le=1)
    """The share of cases that got a label."""
    in_domain: Quality
    leave_one_source_out: Quality | None = None
    leave_one_source_out_because: str | None = None
    """Why there is none, or how it was done."""
    base_rates: tuple[BaseRate, ...] = ()


class FittedParadigm(_Record):
    """A paradigm as it was when the calibration was fitted; None where it is not known."""

    prompt_version: str | None = None
    backend: str | None = None


class FittedOn(_Record):
    """Whose answers the calibration was fitted on."""

    ensemble: str | None = None
    config_sha256: str | None = None
    paradigms: dict[str, FittedParadigm] = {}
    cases: str = ""
    """The first six bytes of each picture's SHA-256, one after the other in base64, so that nobody tests on what was
    fitted on; empty where that is not known, or where there are more than 50,000."""
    looks: str = ""
    """Sixteen bytes of what each picture shows, likewise, so that copies are known too; empty where that is not known,
    or where there are more than 20,000."""

    @property
    def digests(self) -> frozenset[bytes]:
        """What `cases` holds."""
        return frozenset(unpacked(self.cases, DIGEST))

    @field_validator("cases")
    @classmethod
    def _are_digests(cls, value: str) -> str:
        unpacked(value, DIGEST)
        return value

    @field_validator("looks")
    @classmethod
    def _are_looks(cls, value: str) -> str:
        unpacked(value, LOOK)
        return value


class Classes(_Record):
    """How many cases of each class there were."""

    generated: int = Field(ge=1)
    real: int = Field(ge=1)


class PeopleLabels(_Record):
    """What the labels that people gave changed in the cases that were fitted on."""

    changed: int = Field(ge=0)
    """Cases whose label in the data was another."""
    added: int = Field(ge=0)
    """Cases that had no label in the data."""


class Calibration(_Record):
    """A calibration file."""

    schema_version: Literal["1"] = "1"
    name: str = Field(min_length=1, max_length=80)
    strategy: FittedStrategy
    data: str = Field(min_length=1, max_length=200)
    """What it was fitted on, in words."""
    n: Classes
    prior: float = Field(gt=0, lt=1)
    """The share of generated pictures that is assumed."""
    intercept: float = 0.0
    """What is added besides the prior and the members."""
    members: dict[str, Member] = Field(min_length=1)
    """By the paradigm's name."""
    thresholds: Thresholds
    minimum: int = Field(ge=1)
    """How many members must have spoken (a vote or a score), inclusive, for a label."""
    measured: Measured
    fitted_on: FittedOn = FittedOn()
    people: PeopleLabels | None = None
    """None where all labels are the data's."""

    def p_generated(self, said: Mapping[str, Saying]) -> float:
        """The chance of `generated`, at the prior. Who is missing adds nothing."""
        total = logit(self.prior) + self.intercept
        return sigmoid(total + sum(weights.adds(said.get(name, Saying())) for name, weights in self.members.items()))

    def spoken(self, said: Mapping[str, Saying]) -> int:
        """How many members have spoken."""
        return sum(said[name].spoken for name in self.members if name in said)

    @property
    def note(self) -> CalibrationNote:
        """The part that stands in a verdict."""
        false, missed, found = self.measured.false_positives, self.measured.misses, self.measured.found
        return CalibrationNote(
            name=self.name,
            data=self.data,
            n=self.n.generated + self.n.real,
            prior=self.prior,
            false_positive_rate=false.rate,
            false_positive_interval=(false.low, false.high),
            miss_rate=missed.rate,
            miss_interval=(missed.low, missed.high),
            found_rate=found.rate,
            found_interval=(found.low, found.high),
        )

    def to_yaml(self) -> str:
        """The file's text."""
        data = self.model_dump(mode="json", exclude_none=True)
        data["members"] = {name: it.model_dump(exclude_defaults=True) for name, it in self.members.items()}
        text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
        return HEADER % self.strategy + text


def read_calibration(path: Path) -> Calibration:
    """The calibration in a file.

    Raises:
        ConfigError: the file cannot be read, or is no calibration; one line.
    """
    return build(Calibration, read_yaml(path), str(path))


def logit(p: float) -> float:
    """The log-odds of a chance inside (0, 1)."""
    return math.log(p / (1 - p))


def bounded_logit(p: float) -> float:
    """The log-odds of a chance, kept within ±4."""
    return logit(min(max(p, sigmoid(-LIMIT)), sigmoid(LIMIT)))


def sigmoid(x: float) -> float:
    """The chance of these log-odds; no size of them overflows."""
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    return math.exp(x) / (1 + math.exp(x))
