"""Reading a text file from anybody: bounded, in UTF-8, with one clear line for each mistake."""

from __future__ import annotations

from pathlib import Path

from backends.errors import ConfigError, SixlensError


def read_text(
    path: Path, most: int, too_large: str, *, error: type[SixlensError] = ConfigError, encoding: str = "utf-8"
) -> str:
    """The text of a file.

    Args:
        path: the file.
        most: its size in bytes, inclusive.
        too_large: what is said of a larger one, behind its name.
        error: the kind of error that is raised.
        encoding: `utf-8`, or `utf-8-sig` for files that programs with tables write, which may begin with a mark.

    Raises:
        SixlensError: (`error`) the file cannot be read, is too large or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as failure:
        raise error(f"{path}: {failure.strerror or 'cannot be read'}.") from failure
    except ValueError as failure:
        raise error(f"{str(path)!r} cannot be used as a file name.") from failure
    if len(data) > most:
        raise error(f"{path}: {too_large}")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as failure:
        raise error(f"{path}: not UTF-8 text.") from failure
