"""`sixlens cache`: where answers are kept, how many, and away with them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

from backends.errors import ConfigError
from backends.layers.cache_store import CacheStore
from sixlens.api import cache_file
from sixlens.cli.logs import logs_on_stderr
from sixlens.cli.terminal import emit, emit_json


def _is_there() -> bool:
    # Unlike Path.exists, this does not raise where the folder may not be searched.
    return os.path.exists(cache_file())  # noqa: PTH110


def print_path() -> None:
    """Print the path of the file, whether it exists or not."""
    emit(f"{cache_file()}\n")


def print_stats(*, as_json: bool) -> None:
    """Print how many answers are kept, and how many bytes they take."""
    entries, size = 0, 0
    if _is_there():
        with _store() as store:
            stats = store.stats()
        entries, size = stats.entries, stats.bytes
    if as_json:
        emit_json({"path": str(cache_file()), "entries": entries, "bytes": size})
    else:
        emit(f"{entries} answers, {size / 1e6:.1f} MB, in {cache_file()}\n")


def clear() -> None:
    """Drop every answer.

    Raises:
        ConfigError: the file cannot be emptied, or is in use.
    """
    entries = 0
    if _is_there():
        with _store() as store:
            entries = store.stats().entries
            if not store.clear():
                raise ConfigError(f"{cache_file()} cannot be emptied; is another sixlens using it?")
    emit(f"{entries} answers dropped.\n")


@contextmanager
def _store() -> Iterator[CacheStore]:
    with logs_on_stderr(verbose=False), closing(CacheStore(cache_file())) as store:
        yield store
