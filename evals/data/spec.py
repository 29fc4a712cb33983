"""The `data` section of an experiment, as it is written."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from backends.images.image import MAX_DELIVERED_EDGE


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Layout(StrEnum):
    """How a data set lies on disk."""

    AUTO = "auto"
    """Found out, and said."""
    REAL_FAKE = "real_fake"
    """Folders whose names are labels, at any depth: real and fake, 0_real and 1_fake, real and generated."""
    GENIMAGE = "genimage"
    """`GENERATOR/{train,val}/{ai,nature}`."""
    IMAGEFOLDER = "imagefolder"
    """Pictures with a `metadata.csv`, `.jsonl` or `.parquet` beside them, as Hugging Face writes them."""
    MANIFEST = "manifest"
    """A table that names the pictures: CSV, TSV, JSON, JSON lines or Parquet."""
    UNLABELLED = "unlabelled"
    """Pictures of which nothing is said."""
    HF = "hf"
    """Read by the package `datasets`."""


class Columns(_Config):
    """The names of columns; None finds the usual ones."""

    file: str | None = None
    """The picture's path, relative to the table; with `hf`, the column of pictures."""
    label: str | None = None
    generator: str | None = None
    """What made a generated picture."""
    source: str | None = None
    """Where a picture comes from: those of one source are not independent."""
    case: str | None = None
    """A name that is unique in the data set; None takes the path."""


class Reencode(_Config):
    """One path for every picture, real or generated: upright, in sRGB, shrunk, JPEG without metadata."""

    quality: int = Field(default=95, ge=1, le=100)
    """Of the JPEG, inclusive."""
    max_edge: int | None = Field(default=None, ge=16, le=MAX_DELIVERED_EDGE)
    """The longer edge in pixels, at most; None leaves the size. Nothing is enlarged."""


class DataSpec(_Config):
    """Which pictures, what is true of them, and which of them are taken."""

    path: str | None = None
    """A folder or a table, relative to the experiment's file."""
    hf: str | None = None
    """A data set for the package `datasets`: a folder that `save_to_disk` wrote, or a name that it can load."""
    split: str | None = None
    """Only this part: a split of `hf`, or pictures below a folder of this name."""
    layout: Layout = Layout.AUTO
    columns: Columns = Columns()
    generated: tuple[str, ...] = ()
    """Values of the label, or names of folders, that mean generated, the positive class; empty for the usual words."""
    real: tuple[str, ...] = ()
    """Values that mean a real photograph. Empty: the usual words, or the one other value if `generated` is given."""
    limit: int | None = Field(default=None, ge=1)
    """How many cases at most; None for all."""
    balanced: bool = False
    """As many generated as real ones."""
    stratify_by: tuple[Literal["label", "generator", "source"], ...] = ()
    """What a sample keeps the proportions of."""
    seed: int = 0
    """Of the sample and of the order. Neither depends on the order of the files."""
    reencode: Reencode | None = None
    exclude: tuple[str, ...] = ()
    """Cases to leave out: names, patterns with `*` and `?`, or SHA-256 digests of files."""
    exclude_from: str | None = None
    """A text file with one such entry a line, relative to the experiment's file."""
    duplicates: Literal["drop", "keep", "refuse"] = "drop"
    """What is done with files of the same content."""
    near_duplicates: bool = False
    """Look also for copies that were re-encoded or resized, and warn of them. Every picture is decoded for it."""

    @field_validator("generated", "real", "exclude", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        """A single value is a list of one, and numbers and truth values are words here."""
        values = value if isinstance(value, list | tuple) else [value]
        return tuple(str(one) if isinstance(one, int | float) else one for one in values)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        both = {text.casefold() for text in self.generated} & {text.casefold() for text in self.real}
        if both:
            raise ValueError(f"{min(both)!r} cannot mean both generated and real")
        if self.path is not None and self.hf is not None:
            raise ValueError("give path or hf, not both")
        if self.layout is Layout.HF and self.hf is None:
            raise ValueError("layout hf needs a name under hf")
        return self
