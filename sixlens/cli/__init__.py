"""The command line: `sixlens judge photo.jpg`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from sixlens.cli.app import INTERRUPTED, READER_GONE, run

__all__ = ["main", "run"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # both are text files here
    code = run(sys.argv[1:] if arguments is None else arguments)
    if code == READER_GONE:
        # Python flushes stdout once more at its end, and would complain that nobody reads it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if code == INTERRUPTED:
        # A thread that waits for a slow server must not hold up somebody who pressed Ctrl-C.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
