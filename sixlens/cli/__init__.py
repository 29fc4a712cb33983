"""The command line: `sixlens judge photo.jpg`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sixlens.cli.app import INTERRUPTED, READER_GONE, run

__all__ = ["main", "run"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # The caller closed it (`>&-`); what is written there goes nowhere.
            stream = Path(os.devnull).open("w")  # noqa: SIM115 - for as long as the process lives
            setattr(sys, name, stream)
        stream.reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:] if arguments is None else arguments)
    if code == READER_GONE:
        # Python flushes stdout once more at its end, and would complain that nobody reads it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if code == INTERRUPTED:
        # A thread that waits for a slow server must not hold up somebody who pressed Ctrl-C.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
