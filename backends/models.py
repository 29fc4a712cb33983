"""What is known about models: capability records as data (`prompts/models.yaml`), and what follows from them.

A record says which provider and which model names it is about, as glob patterns, and its facts. All records that match
are laid over each other in file order, so a later one is the more specific. What nobody has documented stays unknown.
"""

from __future__ import annotations

import functools
import math
from fnmatch import fnmatchcase
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from backends.backend import BoxFormat, Capabilities
from backends.image_tokens import ImageTokens
from backends.yaml_file import build, parse_yaml

MaxTokensField = Literal["max_tokens", "max_completion_tokens"]
Setting = Literal["temperature", "top_p", "seed"]


class ModelFacts(BaseModel):
    """Facts about a model as it is served; None where unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: bool | None = None
    json_schema: bool | None = None
    """The server can be made to follow a JSON Schema."""
    logprobs: bool | None = None
    prefill: bool | None = None
    """The assistant's turn can be begun for the model."""
    prefix_cache: bool | None = None
    cache_min_tokens: int | None = Field(default=None, ge=1)
    context_tokens: int | None = Field(default=None, ge=1)
    thinking_tokens: int | None = Field(default=None, ge=0)
    """Room that a model which thinks before it answers gets for that, in tokens, beside the room for the answer."""
    image_tokens: ImageTokens | None = None
    """How the provider counts the tokens of a picture."""
    box_format: BoxFormat | None = None
    image_multiple: int | None = Field(default=None, ge=1)
    image_min_pixels: int | None = Field(default=None, ge=1)
    image_max_pixels: int | None = Field(default=None, ge=1)
    image_max_side: int | None = Field(default=None, ge=1)
    refuses: tuple[Setting, ...] | None = None
    """Sampling settings that the model does not take."""
    max_tokens_field: MaxTokensField | None = None
    """What the OpenAI protocol's limit on answer tokens is called for this model."""
    image_uuid: bool | None = None
    """vLLM: a picture may carry a name of its own, by which its encoding is found again."""
    prompt_cache_key: bool | None = None
    """OpenAI: requests that share a prefix may say so, and are sent to the same machine."""
    cache_breakpoints: bool | None = None
    """OpenAI: a prefix is only found again up to a mark in the prompt, and writing it costs more than reading."""

    def over(self, other: ModelFacts) -> ModelFacts:
        """These facts, and those of `other` where these say nothing."""
        return other.model_copy(update={name: value for name, value in self if value is not None})

    def capabilities(self, destination: str, hosted: bool) -> Capabilities:
        """The part that callers see."""
        return Capabilities(
            images=self.images is not False,
            json_schema=self.json_schema,
            logprobs=self.logprobs,
            prefill=bool(self.prefill),
            prefix_cache=self.prefix_cache,
            cache_min_tokens=self.cache_min_tokens,
            context_tokens=self.context_tokens,
            thinking_tokens=self.thinking_tokens or 0,
            image_tokens=self.image_tokens,
            box_format=self.box_format,
            image_multiple=self.image_multiple,
            image_min_pixels=self.image_min_pixels,
            image_max_pixels=self.image_max_pixels,
            image_max_side=self.image_max_side,
            destination=destination,
            hosted=hosted,
        )


class ModelRecord(BaseModel):
    """One record: whom it is about, its facts, and where they come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str = "*"
    """Glob pattern of the provider's name in a spec string."""
    models: tuple[str, ...] = Field(min_length=1)
    """Glob patterns of model names in lower case, tried on the whole name and on what follows its last slash."""
    facts: ModelFacts
    note: str
    """Where the facts come from, or what a user should know."""

    def matches(self, provider: str, model: str) -> bool:
        """Whether the record is about this model of this provider."""
        name = model.lower()
        names = {name, name.rsplit("/", 1)[-1]}
        return fnmatchcase(provider, self.provider) and any(fnmatchcase(n, p) for p in self.models for n in names)


class ModelFile(BaseModel):
    """The file of records."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    records: tuple[ModelRecord, ...]


@functools.cache
def model_records() -> tuple[ModelRecord, ...]:
    """The records that ship with sixlens.

    Raises:
        ConfigError: the file is damaged.
    """
    text = resources.files("prompts").joinpath("models.yaml").read_text(encoding="utf-8")
    return build(ModelFile, parse_yaml(text, "prompts/models.yaml"), "prompts/models.yaml").records


@functools.lru_cache(maxsize=64)
def known_facts(provider: str, model: str) -> ModelFacts:
    """What the records say about a model; all None when they say nothing."""
    facts = ModelFacts()
    for record in model_records():
        if record.matches(provider, model):
            facts = record.facts.over(facts)
    return facts


def seen_size(capabilities: Capabilities, width: int, height: int) -> tuple[int, int] | None:
    """Width and height, in pixels, that a delivered picture has when the model sees it; None when it is not certain.

    Boxes in `BoxFormat.PIXELS` are fractions of this size.
    """
    multiple, side = capabilities.image_multiple, capabilities.image_max_side
    least, most = capabilities.image_min_pixels, capabilities.image_max_pixels
    if side is not None and max(width, height) > side:
        return None
    shape = [width, height]
    if multiple is not None:
        shape = [round(length / multiple) * multiple for length in shape]
    pixels = math.prod(shape)
    if most is not None and pixels > most:
        return None
    if least is not None and pixels < least:
        if multiple is None:
            return None
        # So the family of Qwen-VL does it, whose pictures come in such multiples.
        factor = math.sqrt(least / (width * height))
        shape = [math.ceil(length * factor / multiple) * multiple for length in (width, height)]
    across, down = (max(multiple or 1, length) for length in shape)
    return across, down
