"""What tokens cost, as far as somebody wrote it down: an unknown price is None, never 0."""

from __future__ import annotations

import datetime
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from backends.completion import TokenUsage
from backends.yaml_file import build, parse_yaml, read_yaml

_MILLION = 1_000_000


class Price(BaseModel):
    """US dollars for a million tokens of one model. A kind that is left out costs as much as `input`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached_input: float | None = Field(default=None, ge=0)
    """Input read from the provider's prefix cache."""
    cache_write: float | None = Field(default=None, ge=0)
    """Input written to the provider's prefix cache."""
    image: float | None = Field(default=None, ge=0)
    """Input that stands for pictures, where the provider counts it apart."""
    date: datetime.date
    """When the price was read."""
    source: str = Field(min_length=1)
    """Where it was read."""

    def cost(self, usage: TokenUsage) -> float | None:
        """US dollars for these tokens; None when the provider did not count input and output."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        cached, written = usage.cached_tokens or 0, usage.cache_written_tokens or 0
        fresh = max(0, usage.input_tokens - cached - written)
        pictures = min(usage.image_tokens or 0, fresh)
        dollars = (
            cached * self._rate(self.cached_input)
            + written * self._rate(self.cache_write)
            + pictures * self._rate(self.image)
            + (fresh - pictures) * self.input
            + usage.output_tokens * self.output
        )
        return dollars / _MILLION

    def at_most(self, input_tokens: int, output_tokens: int) -> float:
        """US dollars that so many tokens cost at most, whatever the prefix cache does."""
        dearest = max(self.input, self._rate(self.cached_input), self._rate(self.cache_write), self._rate(self.image))
        return (input_tokens * dearest + output_tokens * self.output) / _MILLION

    def _rate(self, price: float | None) -> float:
        return self.input if price is None else price


class PriceTable(BaseModel):
    """Prices by spec, such as `openai:MODEL`; `*` and `?` stand for any letters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: dict[str, Price] = Field(default_factory=dict)

    def find(self, spec: str) -> Price | None:
        """The price of `spec`: the exact name, else the pattern with the most letters in it."""
        exact = self.models.get(spec)
        if exact is not None:
            return exact
        fitting = [pattern for pattern in self.models if fnmatchcase(spec, pattern)]
        return self.models[max(fitting, key=_letters)] if fitting else None


class Prices:
    """Looks prices up in several tables; the first table that knows a model counts."""

    def __init__(self, *tables: PriceTable) -> None:
        self._tables = tables

    @classmethod
    def load(cls, path: Path | None = None) -> Prices:
        """The prices that come with sixlens, and before them those of the user's own YAML file.

        Raises:
            ConfigError: a file cannot be read or is not a price table.
        """
        shipped = files("prompts").joinpath("prices.yaml").read_text("utf-8")
        tables = [build(PriceTable, parse_yaml(shipped, "prices.yaml"), "prices.yaml")]
        if path is not None:
            tables.insert(0, build(PriceTable, read_yaml(path) or {}, str(path)))
        return cls(*tables)

    def find(self, spec: str) -> Price | None:
        """The price of a model, or None."""
        for table in self._tables:
            price = table.find(spec)
            if price is not None:
                return price
        return None

    def cost(self, spec: str, usage: TokenUsage) -> float | None:
        """US dollars that these tokens cost, or None when the price or the count is unknown."""
        price = self.find(spec)
        return price.cost(usage) if price is not None else None

    def estimate(self, spec: str, input_tokens: int, output_tokens: int) -> float | None:
        """US dollars that so many tokens cost at most, or None when the price is unknown."""
        price = self.find(spec)
        return price.at_most(input_tokens, output_tokens) if price is not None else None


def _letters(pattern: str) -> int:
    return len(pattern) - pattern.count("*") - pattern.count("?")
