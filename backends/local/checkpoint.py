"""The weights of a checkpoint: loaded, with what belongs to them, or one line that says why not."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers as library

from backends.errors import ConfigError
from backends.local.blueprint import Blueprint
from backends.local.quiet import fetching_shown
from backends.local.sampling import Defaults, defaults_of
from backends.local.settings import LocalSettings
from backends.local.source import adapter_folder

transformers: Any = library
"""Most of it has no types."""
_END = "eos_token_id"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model of transformers with what belongs to it."""

    name: str
    model: Any
    processor: Any
    ends: frozenset[int]
    """The tokens that end an answer."""
    pad: int
    defaults: Defaults

    @property
    def config(self) -> Any:
        """The configuration of the language model inside."""
        return self.model.config.get_text_config(decoder=True)

    @property
    def placeholder(self) -> int | None:
        """The token that stands for a piece of a picture."""
        config = self.model.config
        found = getattr(config, "image_token_id", None) or getattr(config, "image_token_index", None)
        return None if found is None else int(found)


def open_checkpoint(blueprint: Blueprint) -> Checkpoint:
    """Load a model.

    Raises:
        ConfigError: the weights cannot be had, or are not those of such a model.
        MissingExtraError: a package is missing.
        OutOfMemoryError: the device has no room for the weights.

    """
    settings, device = blueprint.settings, blueprint.device
    with blueprint.refusals(), fetching_shown():
        model = blueprint.model(
            dtype=blueprint.dtype,
            device_map=settings.device_map or (None if device == "cpu" else {"": device}),
            quantization_config=quantization_of(settings),
        )
        if blueprint.adapter is not None:
            _lay_adapter(model, adapter_folder(blueprint.adapter))
    model.eval()
    generation = model.generation_config
    processor = blueprint.processor
    ends, pad = _ends(model, processor.tokenizer, blueprint.written)
    # The checkpoint's own generation settings would creep into every call of `generate`.
    model.generation_config = transformers.GenerationConfig(eos_token_id=sorted(ends), pad_token_id=pad)
    return Checkpoint(blueprint.name, model, processor, ends, pad, defaults_of(generation))


def quantization_of(settings: LocalSettings) -> Any:
    """What bitsandbytes is to make of the weights, or None."""
    if settings.quantization is None:
        return None
    if settings.quantization == "int8":
        return transformers.BitsAndBytesConfig(load_in_8bit=True)
    number = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=number, bnb_4bit_use_double_quant=True
    )


def _lay_adapter(model: Any, folder: Path) -> None:
    told = model.load_adapter(str(folder))
    if told.missing_keys:
        raise ConfigError(f"The adapter {folder.name} does not fit this model; take one that was trained on it.")


def _ends(model: Any, tokenizer: Any, written: Mapping[str, Any]) -> tuple[frozenset[int], int]:
    """The tokens that end an answer, and the one to fill up with.

    A configuration that says nothing of it has the number that its class was written with, which may be any word of
    this vocabulary. So it is asked last; and generation settings that were only derived from it, for what is `written`
    in its file.
    """
    generation, config = model.generation_config, model.config.get_text_config()
    if getattr(generation, "_from_model_config", False):
        ends = _numbers(written.get(_END)) | _numbers((written.get("text_config") or {}).get(_END))
    else:
        ends = _numbers(generation.eos_token_id)
    ends = ends | _numbers(tokenizer.eos_token_id) or _numbers(getattr(config, _END, None))
    if not ends:
        raise ConfigError("The model names no token that ends an answer; take its instruction-tuned version.")
    pad = tokenizer.pad_token_id
    return frozenset(ends), int(min(ends) if pad is None else pad)


def _numbers(told: int | Sequence[int] | None) -> set[int]:
    return {told} if isinstance(told, int) else set(told or ())


def forward_parameters(model: Any) -> frozenset[str]:
    """The names of the inputs that the model takes."""
    return frozenset(inspect.signature(model.forward).parameters)
