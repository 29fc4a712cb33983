"""Writes the parts of the documentation that follow from the code: `docs/cli.md` and `docs/schema/`.

Run it with `python docs/generate.py`; a test compares the files with what it would write.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

from typer.core import TyperGroup
from typer.main import get_command

from sixlens.cli.app import app, run
from sixlens.schemas import schema, schema_names

DOCS = Path(__file__).parent

INTRODUCTION = """\
# The command line

<!-- Written by docs/generate.py; change the help texts in sixlens/cli/app.py instead. -->

The answer goes to stdout, everything else to stderr. `--json` prints one object for one picture and a list for several;
`--jsonl` prints one object a line as pictures are done. Both follow `docs/schema/verdict.schema.json`. A picture that
cannot be used is named on stderr and costs nobody else's verdict; in a list, and with `--jsonl`, an object with `path`
and `error` stands in its place.

| exit code | |
|---|---|
| 0 | a verdict for every input |
| 1 | a backend gave no verdict |
| 2 | some input is unusable |
| 3 | the budget is spent |
| 4 | configuration or usage, a key that is not set included |
| 130 | interrupted (Ctrl-C) |
| 141 | whoever read the answer has gone (as in `sixlens graph \\| head -1`) |

With several kinds of trouble the first of 4, 3, 1, 2 counts.

| environment | |
|---|---|
| `SIXLENS_BACKEND` | who is asked, above the ensemble's own `backend` and below `--backend` |
| `SIXLENS_CACHE_DIR` | the folder of the answer cache |
| `OPENAI_API_KEY`, … | keys; `sixlens backends` lists them |
| `NO_COLOR` | no colours |
"""


def pages() -> dict[str, str]:
    """The generated files, by their path under `docs`."""
    schemas = {f"schema/{name}.schema.json": json.dumps(schema(name), indent=2) + "\n" for name in schema_names()}
    return {"cli.md": cli_page(), **schemas}


def cli_page() -> str:
    """The help pages of every command."""
    sections = [f"## `{' '.join(('sixlens', *path))}`\n\n```text\n{_help(path)}```\n" for path in _paths()]
    return "\n".join([INTRODUCTION, *sections])


def _paths(path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command, groups before what is in them."""
    yield path
    command = get_command(app)
    for name in path:
        command = command.commands[name] if isinstance(command, TyperGroup) else command
    if isinstance(command, TyperGroup):
        for name in command.commands:
            yield from _paths((*path, name))


def _help(path: tuple[str, ...]) -> str:
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        run([*path, "--help"])
    return written.getvalue()


def main() -> None:
    """Write the files."""
    os.environ["COLUMNS"] = "80"
    for name, text in pages().items():
        path = DOCS / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
