"""Writing for people and programs: the answer goes to stdout, everything else to stderr."""

from __future__ import annotations

import errno
import json
import re
import sys
import unicodedata

MAX_LINE = 2000
_ESCAPED = re.compile(r"[^\x20-\x7e\n]")


class OutputError(Exception):
    """The answer cannot be written: nobody reads it any more, or the disk is full.

    Args:
        error: what the system said.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror or "unknown reason")
        self.closed = error.errno in (errno.EPIPE, errno.EINVAL, errno.ESHUTDOWN)
        """True when the reader has gone."""


def emit(text: str) -> None:
    """Write a part of the answer to stdout.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        raise OutputError(error) from error


def emit_json(value: object, *, indent: int | None = 2) -> None:
    """Write a value as JSON, a line at its end. Raises `OutputError`."""
    emit(json_text(value, indent=indent) + "\n")


def json_text(value: object, *, indent: int | None = None) -> str:
    """A value as JSON in which everything that a terminal could obey or hide is escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _ESCAPED.sub(lambda found: _escape(found.group()), text)


def _escape(letter: str) -> str:
    if unicodedata.category(letter)[0] not in "CZ" or letter == "\u3000":
        return letter
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def say(message: str) -> None:
    """One line for a person, on stderr; whatever is in it, it stays one line."""
    tell(f"sixlens: {message}")


def tell(line: str) -> None:
    """One harmless line on stderr, indented as given. A stderr that nobody reads is no reason to stop."""
    # Imported here because it brings the readers of metadata with it, and `--help` needs neither.
    from paradigms.signals.provenance.text import plain

    indent = " " * (len(line) - len(line.lstrip(" ")))
    try:
        print(indent + plain(line, MAX_LINE), file=sys.stderr, flush=True)  # noqa: T201 - this is where printing is done
    except OSError:
        return
