"""Opening a checkpoint: a folder or a repository becomes a model and its processor, or one line that says why not."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import huggingface_hub
import torch
import transformers as library
from safetensors import SafetensorError

from backends.errors import ConfigError, MissingExtraError
from backends.local.conversation import first_line
from backends.local.engine import OutOfMemoryError
from backends.local.fingerprint import digest_of
from backends.local.folder import ADAPTER, folder_of, is_repository
from backends.local.hub import hub_away
from backends.local.memory import lacks_memory
from backends.local.sampling import Defaults, defaults_of
from backends.local.settings import LocalSettings

transformers: Any = library
"""Most of it has no types."""

_ADAPTER = (ADAPTER, "adapter_model.safetensors")
_LACKING = re.compile(r"(?:Can't load (?:the )?|Couldn't instantiate the backend )([a-z ]{1,40}) (?:for '|from )")
"""How transformers begins to say that it misses files of the processor or one of its parts."""
_MODULES = {"num2words": "num2words", "torchvision": "torchvision", "sentencepiece": "sentencepiece"}
"""What processors ask for by an ImportError, and what to install for it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model of transformers with what belongs to it."""

    name: str
    model: Any
    processor: Any
    revision: str
    """A digest of what is computed and how."""
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


def open_checkpoint(source: str, settings: LocalSettings) -> Checkpoint:
    """Load a model.

    Code that comes with a checkpoint is never run, and weights are read from safetensors alone, since the other formats
    can run code as well.

    Args:
        source: a folder, or a repository on the Hugging Face hub such as `Qwen/Qwen2.5-VL-3B-Instruct`.
        settings: how to load it.

    Raises:
        ConfigError: there is no such model, it is not one that answers about pictures, or this machine cannot run it.
        MissingExtraError: a package is missing.
        OutOfMemoryError: the device has no room for the weights.

    """
    folder = folder_of(source)
    device = device_of(settings)
    dtype = dtype_of(settings, device)
    away = None
    try:
        away = hub_away(source, settings.revision, "config.json") if folder is None else None
        processor = _processor(source, settings, cached=away is not None)
        adapter = _adapter_folder(settings.adapter)
        model = _model(source, settings, device, dtype, cached=away is not None)
        if adapter is not None:
            _lay_adapter(model, adapter)
    except ImportError as error:
        raise _missing(source, error) from error
    except RuntimeError as error:
        if lacks_memory(error):
            raise OutOfMemoryError(first_line(error)) from error
        raise ConfigError(_refusal(source, error)) from error
    except OSError as error:
        raise ConfigError(_lacking(source, away, error) if folder is None else _refusal(source, error)) from error
    except (ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise ConfigError(_refusal(source, error)) from error
    model.eval()
    generation = model.generation_config
    ends, pad = _ends(model, processor.tokenizer)
    # The checkpoint's own generation settings would creep into every call of `generate`.
    model.generation_config = transformers.GenerationConfig(eos_token_id=sorted(ends), pad_token_id=pad)
    return Checkpoint(
        name=folder.resolve().name if folder is not None else source,
        model=model,
        processor=processor,
        revision=_revision(model, processor, [folder, adapter], settings),
        ends=ends,
        pad=pad,
        defaults=defaults_of(generation),
    )


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


def _processor(source: str, settings: LocalSettings, cached: bool) -> Any:
    processor = transformers.AutoProcessor.from_pretrained(
        source, revision=settings.revision, trust_remote_code=False, local_files_only=cached
    )
    if not hasattr(processor, "image_processor") or getattr(processor, "tokenizer", None) is None:
        raise ConfigError(f"{source} has no processor for pictures; take a model that answers about pictures.")
    if not (processor.chat_template or processor.tokenizer.chat_template):
        raise ConfigError(f"{source} has no chat template; take the instruction-tuned version of the model.")
    return processor


def _model(source: str, settings: LocalSettings, device: str, dtype: Any, cached: bool) -> Any:
    model, told = transformers.AutoModelForImageTextToText.from_pretrained(
        source,
        revision=settings.revision,
        trust_remote_code=False,
        local_files_only=cached,
        # An adapter that lies beside the weights would be laid over them unasked, and may be of another format.
        adapter_kwargs={"local_files_only": True},
        use_safetensors=True,
        dtype=dtype,
        device_map=settings.device_map or (None if device == "cpu" else {"": device}),
        attn_implementation=settings.attention,
        quantization_config=_quantization(settings),
        output_loading_info=True,
    )
    if missing := sorted(told["missing_keys"]):
        # They would be random numbers, and the model would talk nonsense.
        raise ConfigError(f"{source} lacks weights ({missing[0]} and {len(missing) - 1} more); download it again.")
    return model


def _quantization(settings: LocalSettings) -> Any:
    if settings.quantization is None:
        return None
    if settings.quantization == "int8":
        return transformers.BitsAndBytesConfig(load_in_8bit=True)
    number = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=number, bnb_4bit_use_double_quant=True
    )


def _adapter_folder(adapter: str | None) -> Path | None:
    """The folder of an adapter, fetched if it is a repository; its weights must be safetensors."""
    if adapter is None:
        return None
    if find_spec("peft") is None:
        raise ConfigError("adapter needs peft: pip install peft")
    path = Path(adapter).expanduser()
    if not path.is_dir() and is_repository(adapter) and not path.exists():
        try:
            cached = hub_away(adapter, None, _ADAPTER[0]) is not None
            found = huggingface_hub.snapshot_download(adapter, allow_patterns=list(_ADAPTER), local_files_only=cached)
            path = Path(found)
        except OSError as error:
            text = f"The adapter {adapter} cannot be fetched; check its name, or name a folder ({first_line(error)})."
            raise ConfigError(text) from error
    for name in _ADAPTER:
        if not (path / name).is_file():
            raise ConfigError(f"There is no adapter in {adapter}: it has no {name}.")
    return path


def _lay_adapter(model: Any, folder: Path) -> None:
    told = model.load_adapter(str(folder))
    if told.missing_keys:
        raise ConfigError(f"The adapter {folder.name} does not fit this model; take one that was trained on it.")


def _missing(source: str, error: ImportError) -> ConfigError:
    text = str(error).lower()
    for module, package in _MODULES.items():
        if module in text and find_spec(module) is None:
            return ConfigError(f"{source} needs {package}: pip install {package}")
    if "accelerate" in text:
        return MissingExtraError("The hf: backend", "local")
    return ConfigError(f"{source} cannot be loaded: {first_line(error)}")


def _lacking(source: str, away: str | None, error: OSError) -> str:
    """Why a repository is not to be had."""
    if "trust_remote_code" in str(error):
        return _refusal(source, error)
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return f"{source} is not in the local cache, and HF_HUB_OFFLINE is set; download it first, or name a folder."
    if away is not None:
        text = f"There is no folder {source}, the local cache lacks it, and the Hugging Face hub cannot be asked"
        return f"{text} ({away}); check the network, or name a folder."
    return f"{source} cannot be fetched; check its name, your access to it and the network ({first_line(error)})."


def _refusal(source: str, error: Exception) -> str:
    said = first_line(error)
    if "trust_remote_code" in str(error):
        return f"{source} needs code of its own, which sixlens does not run; take a version made for transformers."
    if "AutoModelForImageTextToText" in str(error):
        return f"{source} is not a model that answers about pictures ({said})."
    if isinstance(error, SafetensorError):
        return f"The weights of {source} are damaged ({said}); download it again."
    if lacking := _LACKING.match(said):
        return f"Files of the {lacking[1]} of {source} are missing or damaged; download it again."
    return f"{source} cannot be loaded as a model that answers about pictures: {said}"


def _ends(model: Any, tokenizer: Any) -> tuple[frozenset[int], int]:
    """The tokens that end an answer, and the one to fill up with."""
    ends: set[int] = set()
    for told in (model.generation_config.eos_token_id, model.config.get_text_config().eos_token_id):
        ends |= {told} if isinstance(told, int) else set(told or ())
    if tokenizer.eos_token_id is not None:
        ends.add(int(tokenizer.eos_token_id))
    if not ends:
        raise ConfigError("The model names no token that ends an answer; take its instruction-tuned version.")
    pad = tokenizer.pad_token_id
    return frozenset(ends), int(min(ends) if pad is None else pad)


def _revision(model: Any, processor: Any, folders: Sequence[Path | None], settings: LocalSettings) -> str:
    """A digest of the folders of model and adapter, and of all else that changes numbers."""
    folder, adapter = folders
    commit = getattr(model.config, "_commit_hash", None)
    identity = {
        "weights": digest_of(folder) if folder is not None else commit or settings.revision,
        "adapter": digest_of(adapter) if adapter is not None else None,
        "dtype": str(model.dtype),
        "quantization": settings.quantization,
        "attention": getattr(model.config, "_attn_implementation", None),
        "device": model.device.type,
        # Processors made with PIL and with torchvision differ by some hundredths in what the tower sees.
        "images": type(processor.image_processor).__name__,
        "transformers": transformers.__version__,
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def forward_parameters(model: Any) -> frozenset[str]:
    """The names of the inputs that the model takes."""
    return frozenset(inspect.signature(model.forward).parameters)
