"""Where the files of a model or an adapter come from, and how to tell them from others."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import huggingface_hub

from backends.errors import ConfigError
from backends.local.conversation import first_line
from backends.local.fingerprint import digest_of
from backends.local.folder import ADAPTER, folder_of, is_repository
from backends.local.hub import Snapshot, snapshot_of
from backends.local.refusal import unreachable
from backends.local.settings import LocalSettings

_ADAPTER = (ADAPTER, "adapter_model.safetensors")


@dataclass(frozen=True, slots=True)
class Source:
    """A folder, or a repository at one commit."""

    name: str
    """As it was written."""
    folder: Path | None = None
    snapshot: Snapshot | None = None

    @property
    def place(self) -> str:
        """What the libraries take."""
        return self.name if self.folder is None else str(self.folder)

    @property
    def options(self) -> dict[str, Any]:
        """What they are to be told beside it."""
        if self.snapshot is None:
            return {}
        return {"revision": self.snapshot.commit, "local_files_only": self.snapshot.away is not None}

    @property
    def digest(self) -> str | None:
        """What changes when a file does: a digest of the folder, or the repository's commit."""
        if self.folder is not None:
            return digest_of(self.folder)
        return None if self.snapshot is None else self.snapshot.commit


def model_source(name: str, settings: LocalSettings) -> Source:
    """Where the model is.

    Raises:
        ConfigError: there is no such folder or repository, or no model in it.
    """
    folder = folder_of(name, settings.revision)
    return Source(name, folder, None if folder else _snapshot(name, settings.revision, "config.json"))


def adapter_source(settings: LocalSettings) -> Source | None:
    """Where the adapter is, if one is wanted; its weights must be safetensors.

    Raises:
        ConfigError: there is no such folder or repository, or no adapter in it; or peft is missing.
    """
    name = settings.adapter
    if name is None:
        return None
    if find_spec("peft") is None:
        raise ConfigError("adapter needs peft: pip install peft")
    path = Path(name).expanduser()
    if not path.exists() and is_repository(name):
        return Source(name, snapshot=_snapshot(name, settings.adapter_revision, ADAPTER))
    if settings.adapter_revision is not None:
        raise ConfigError(f"{name} is no repository, and has no revisions; take `local.adapter_revision` out.")
    _check_adapter(name, path)
    return Source(name, path)


def adapter_folder(source: Source) -> Path:
    """The folder of an adapter, fetched if it is a repository.

    Raises:
        ConfigError: it cannot be fetched, or is none.
    """
    if source.folder is not None:
        return source.folder
    try:
        path = huggingface_hub.snapshot_download(source.name, allow_patterns=list(_ADAPTER), **source.options)
    except OSError as error:
        text = f"The adapter {source.name} cannot be fetched; check your network ({first_line(error)})."
        raise ConfigError(text) from error
    _check_adapter(source.name, Path(path))
    return Path(path)


def _check_adapter(name: str, folder: Path) -> None:
    for file in _ADAPTER:
        if not (folder / file).is_file():
            raise ConfigError(f"There is no adapter in {name}: it has no {file}.")


def _snapshot(name: str, revision: str | None, file: str) -> Snapshot:
    try:
        found = snapshot_of(name, revision, file)
    except (OSError, ValueError) as error:
        raise ConfigError(unreachable(name, None, error)) from error
    if found.commit is None:
        raise ConfigError(unreachable(name, found.away, None))
    return found
