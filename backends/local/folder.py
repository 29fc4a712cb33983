"""What can be said about the folder of a model from its small files, before torch is imported."""

from __future__ import annotations

import json
import re
from pathlib import Path

from backends.errors import ConfigError
from backends.local.fingerprint import WEIGHTS

ADAPTER = "adapter_config.json"
_REPOSITORY = r"\w[\w.-]*(/\w[\w.-]*)?"
_PROCESSORS = ("preprocessor_config.json", "processor_config.json")
"""Either holds how pictures are prepared."""
_CONFIGS = ("config.json", *_PROCESSORS, "tokenizer_config.json", "generation_config.json")
_MOST = 16 * 1024 * 1024
"""Bytes of such a file that are read at most; real ones are far smaller."""
_OTHER_KIND = re.compile(
    r"For(MaskedLM|PreTraining|NextSentencePrediction|MultipleChoice|\w*Answering|\w*Classification)$"
)
"""Endings of the names of architectures that fill gaps or sort, and write no answers."""


def is_repository(source: str) -> bool:
    """Whether it reads as the name of a repository on the Hugging Face hub."""
    return re.fullmatch(_REPOSITORY, source) is not None


def folder_of(source: str, revision: str | None) -> Path | None:
    """The folder that `source` names, or None when it names a repository.

    Args:
        source: folder or repository.
        revision: the one that is asked for, which only a repository has.

    Raises:
        ConfigError: it reads as a folder, and there is none with a model in it, or a revision is asked for; says what
            is missing or damaged.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        _look(source, path)
        if revision is not None:
            raise ConfigError(f"{source} is a folder, and folders have no revisions; take `local.revision` out.")
        return path
    if path.exists():
        raise ConfigError(f"{source} is a file; name the folder that holds the model.")
    if not is_repository(source):
        raise ConfigError(
            f"There is no folder {source}; name a folder with a model, or a repository as ORGANISATION/NAME."
        )
    return None


def _look(source: str, path: Path) -> None:
    if not (path / "config.json").is_file():
        raise ConfigError(f"{source} has no config.json, so no model is in it; name the folder that holds one.")
    configs = {name: _read(source, path / name) for name in _CONFIGS if (path / name).is_file()}
    kind = _kind(configs["config.json"])
    if _OTHER_KIND.search(kind):
        raise ConfigError(f"{source} is a {kind}, not a model that answers about pictures; name another one.")
    if not any(name in configs for name in _PROCESSORS):
        raise ConfigError(
            f"{source}: {_PROCESSORS[0]} is missing; download the model again, or name one that answers about pictures"
            f"{f' (this is {kind})' if kind else ''}."
        )
    if not any(path.glob(f"*{WEIGHTS}")):
        raise ConfigError(f"{source} has no weights in safetensors (*{WEIGHTS}); other formats are not read.")
    if (path / ADAPTER).is_file():
        raise ConfigError(f"{source} holds an adapter too; move it to another folder, and name that as `adapter`.")


def _read(source: str, file: Path) -> dict[str, object]:
    try:
        with file.open("rb") as stream:
            found = json.loads(stream.read(_MOST))
    except OSError as error:
        raise ConfigError(f"{source}: {file.name} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{source}: {file.name} is damaged; download it again.") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{source}: {file.name} is damaged; download it again.")
    return found


def _kind(config: dict[str, object]) -> str:
    """The architecture, as far as it can be said to people."""
    named = config.get("architectures")
    told = named[0] if isinstance(named, list) and named else config.get("model_type")
    return told if isinstance(told, str) and re.fullmatch(r"[\w.-]{1,60}", told) else ""
