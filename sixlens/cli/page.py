"""Something rich on stdout."""

from __future__ import annotations

import io
import re
import sys

from rich.console import Console, RenderableType

from sixlens.cli.terminal import emit

MAX_WIDTH = 100
"""Lines longer than this are hard to read, however wide the terminal is."""


def show(thing: RenderableType) -> None:
    """Write something rich to stdout, wrapped to the terminal and coloured only there. Raises `OutputError`."""
    screen = Console(file=sys.stdout)
    page = Console(
        file=io.StringIO(),
        force_terminal=screen.is_terminal,
        width=min(screen.width or 80, MAX_WIDTH),
        highlight=False,
        markup=False,
        emoji=False,
    )
    with page.capture() as captured:
        page.print(thing)
    emit(re.sub(r"[ ]+$", "", captured.get(), flags=re.MULTILINE))
