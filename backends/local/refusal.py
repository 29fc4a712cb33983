"""What the libraries say when a checkpoint cannot be loaded, as one line that says what to do."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from importlib.util import find_spec

from safetensors import SafetensorError

from backends.errors import ConfigError, MissingExtraError
from backends.local.conversation import first_line
from backends.local.engine import OutOfMemoryError
from backends.local.memory import lacks_memory

_LACKING = re.compile(r"(?:Can't load (?:the )?|Couldn't instantiate the backend )([a-z ]{1,40}) (?:for '|from )")
"""How transformers begins to say that it misses files of the processor or one of its parts."""
_MODULES = {"num2words": "num2words", "torchvision": "torchvision", "sentencepiece": "sentencepiece"}
"""What processors ask for by an ImportError, and what to install for it."""
_ON = {"1", "ON", "YES", "TRUE"}


@contextlib.contextmanager
def refusals(name: str, *, fetched: bool, away: str | None = None) -> Iterator[None]:
    """Turn what is raised while files of a model are read into our own errors.

    Args:
        name: the model, as it was written.
        fetched: it is a repository.
        away: why the hub cannot be asked now, if it is so.

    Raises:
        ConfigError: the model cannot be loaded.
        MissingExtraError: a package is missing.
        OutOfMemoryError: the device has no room for the weights.
    """
    try:
        yield
    except ImportError as error:
        raise _missing(name, error) from error
    except RuntimeError as error:
        if lacks_memory(error):
            raise OutOfMemoryError(first_line(error)) from error
        raise ConfigError(_refusal(name, error)) from error
    except OSError as error:
        raise ConfigError(_unread(name, away, error) if fetched else _refusal(name, error)) from error
    except (ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise ConfigError(_refusal(name, error)) from error


def unreachable(name: str, away: str | None, error: Exception | None) -> str:
    """Why a repository is not to be had."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in _ON:
        return f"{name} is not in the local cache, and HF_HUB_OFFLINE is set; download it first, or name a folder."
    if away is not None:
        text = f"There is no folder {name}, the local cache lacks it, and the Hugging Face hub cannot be asked"
        return f"{text} ({away}); check the network, or name a folder."
    said = "" if error is None else f" ({first_line(error)})"
    return f"{name} cannot be fetched; check its name, your access to it and the network{said}."


def _missing(name: str, error: ImportError) -> ConfigError:
    text = str(error).lower()
    for module, package in _MODULES.items():
        if module in text and find_spec(module) is None:
            return ConfigError(f"{name} needs {package}: pip install {package}")
    if "accelerate" in text:
        return MissingExtraError("The hf: backend", "local")
    return ConfigError(f"{name} cannot be loaded: {first_line(error)}")


def _unread(name: str, away: str | None, error: OSError) -> str:
    return _refusal(name, error) if "trust_remote_code" in str(error) else unreachable(name, away, error)


def _refusal(name: str, error: Exception) -> str:
    said = first_line(error)
    if "trust_remote_code" in str(error):
        return f"{name} needs code of its own, which sixlens does not run; take a version made for transformers."
    if "AutoModelForImageTextToText" in str(error):
        return f"{name} is not a model that answers about pictures ({said})."
    if isinstance(error, SafetensorError):
        return f"The weights of {name} are damaged ({said}); download it again."
    if lacking := _LACKING.match(said):
        return f"Files of the {lacking[1]} of {name} are missing or damaged; download it again."
    return f"{name} cannot be loaded as a model that answers about pictures: {said}"
