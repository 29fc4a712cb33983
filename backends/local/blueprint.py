"""A model without its weights: all that its small files, the settings and this machine say of it.

With it the cache can be asked, prompts can be put together, and what cannot work is told before the work begins; the
weights are loaded when a question has to be computed.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import AbstractContextManager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import torch
import transformers as library

from backends.backend import Capabilities
from backends.errors import ConfigError
from backends.local.conversation import ChatTemplate
from backends.local.families import local_facts, seen_pixels, thinking_room
from backends.local.grammar import has_llguidance
from backends.local.refusal import refusals
from backends.local.settings import LocalSettings
from backends.local.shortcuts import possible
from backends.local.source import adapter_source, model_source

transformers: Any = library
"""Most of it has no types."""
_COMPUTE = ("torch", "transformers", "torchvision", "llguidance", "bitsandbytes", "peft")
"""Packages of which another version may give other answers."""


class Blueprint:
    """What is known of a model. Small files of a repository are fetched, and torch is imported; it takes seconds.

    Code that comes with a checkpoint is never run.

    Args:
        name: a folder, or a repository on the Hugging Face hub such as `Qwen/Qwen2.5-VL-3B-Instruct`.
        settings: how to load it.

    Raises:
        ConfigError: there is no such model, it is not one that answers about pictures, or this machine cannot run it.
        MissingExtraError: a package is missing.

    """

    def __init__(self, name: str, settings: LocalSettings) -> None:
        self.settings = settings
        self.device = device_of(settings)
        self.source = model_source(name, settings)
        self.adapter = adapter_source(settings)
        with self.refusals():
            place, options = self.source.place, self.source.options
            self.config = transformers.AutoConfig.from_pretrained(place, trust_remote_code=False, **options)
            self.written: dict[str, Any] = transformers.PreTrainedConfig.get_config_dict(place, **options)[0]
            self.processor = self._processor()
            self.attention = self._shape().config._attn_implementation
        self.dtype = dtype_of(settings, self.device)
        self.shortcuts = possible(self.config, settings)

    def refusals(self) -> AbstractContextManager[None]:
        """Around whatever reads the model's files: see `backends.local.refusal.refusals`."""
        snapshot = self.source.snapshot
        return refusals(self.source.name, fetched=snapshot is not None, away=snapshot.away if snapshot else None)

    @property
    def name(self) -> str:
        """The repository, or the name of the folder."""
        folder = self.source.folder
        return self.source.name if folder is None else folder.resolve().name

    @property
    def fetches(self) -> bool:
        """Whether weights that are not here yet are fetched when it is loaded."""
        snapshot = self.source.snapshot
        return snapshot is not None and snapshot.away is None

    @property
    def revision(self) -> str:
        """A digest of weights, adapter, and all else that changes numbers: their type, the device, attention, versions.

        Reads the files of a folder.
        """
        identity = {
            "weights": self.source.digest,
            "adapter": None if self.adapter is None else self.adapter.digest,
            "dtype": str(self.config.dtype if self.dtype == "auto" else self.dtype),
            "quantization": self.settings.quantization,
            "attention": self.attention,
            "device": self.device.partition(":")[0],
            # Processors made with PIL and with torchvision differ by some hundredths in what the tower sees.
            "images": type(self.processor.image_processor).__name__,
            "versions": {name: _version(name) for name in _COMPUTE},
        }
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do in this process."""
        facts = local_facts(self.name, self.config.model_type)
        update = {
            "images": True,
            "json_schema": has_llguidance(),
            "logprobs": True,
            "prefill": True,
            "context_tokens": getattr(self.config.get_text_config(decoder=True), "max_position_embeddings", None),
            "thinking_tokens": thinking_room(facts)
            if ChatTemplate(self.processor).thinks
            else facts.thinking_tokens or 0,
            **self.shortcuts.capabilities,
            **seen_pixels(self.processor, facts),
        }
        return facts.capabilities("this process", hosted=False).model_copy(update=update)

    def model(self, **options: Any) -> Any:
        """The model of the checkpoint, opened with these options of transformers. To be called within `refusals`.

        Weights are read from safetensors alone, since the other formats can run code.
        """
        model, told = transformers.AutoModelForImageTextToText.from_pretrained(
            self.source.place,
            **self.source.options,
            trust_remote_code=False,
            # An adapter that lies beside the weights would be laid over them unasked, and may be of another format.
            adapter_kwargs={"local_files_only": True},
            use_safetensors=True,
            attn_implementation=self.settings.attention,
            output_loading_info=True,
            **options,
        )
        if missing := sorted(told["missing_keys"]):
            # They would be random numbers, and the model would talk nonsense.
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise ConfigError(f"{self.source.name} lacks weights ({missing[0]}{more}); download it again.")
        return model

    def _shape(self) -> Any:
        """The model without a number in it, which tells whether it can be opened.

        In a folder the weights are looked for too: whether all are there, whole and of the right shape. None are read.
        """
        quantized = getattr(self.config, "quantization_config", None) is not None
        if self.source.folder is not None and not quantized:
            return self.model(device_map={"": "meta"})
        with torch.device("meta"):
            return transformers.AutoModelForImageTextToText.from_config(
                self.config, trust_remote_code=False, attn_implementation=self.settings.attention
            )

    def _processor(self) -> Any:
        name = self.source.name
        processor = transformers.AutoProcessor.from_pretrained(
            self.source.place, trust_remote_code=False, **self.source.options
        )
        if not hasattr(processor, "image_processor") or getattr(processor, "tokenizer", None) is None:
            raise ConfigError(f"{name} has no processor for pictures; take a model that answers about pictures.")
        if not (processor.chat_template or processor.tokenizer.chat_template):
            raise ConfigError(f"{name} has no chat template; take the instruction-tuned version of the model.")
        processor.tokenizer.padding_side = "left"
        return processor


def device_of(settings: LocalSettings) -> str:
    """The torch device to load on.

    Raises:
        ConfigError: it is not there, or what was asked for needs another one.
    """
    cuda = torch.cuda.is_available()
    device = settings.device
    if device == "auto":
        device = "cuda" if cuda else "mps" if torch.backends.mps.is_available() else "cpu"
    elif settings.device_map is not None:
        raise ConfigError("device_map spreads the model over devices; leave device at auto with it.")
    if device.startswith("cuda"):
        if not cuda:
            raise ConfigError(f"There is no CUDA here, and device is {device}; set it to auto or cpu.")
        number = int(device.partition(":")[2] or 0)
        if number >= torch.cuda.device_count():
            raise ConfigError(f"There is no device {device}; the last one is cuda:{torch.cuda.device_count() - 1}.")
    if device == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("There is no MPS here, and device is mps; set it to auto or cpu.")
    if settings.quantization is not None and not device.startswith("cuda"):
        raise ConfigError(
            f"quantization: {settings.quantization} needs CUDA, and the device is {device}; leave it out."
        )
    if settings.quantization is not None and find_spec("bitsandbytes") is None:
        raise ConfigError(f"quantization: {settings.quantization} needs bitsandbytes: pip install bitsandbytes")
    if settings.attention == "flash_attention_2" and find_spec("flash_attn") is None:
        raise ConfigError("attention: flash_attention_2 needs flash-attn; install it, or set attention to sdpa.")
    return device


def dtype_of(settings: LocalSettings, device: str) -> Any:
    """The number type to load the weights in; `auto` for what the checkpoint says."""
    if settings.dtype == "auto":
        return torch.float32 if device == "cpu" else "auto"
    return getattr(torch, settings.dtype)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
