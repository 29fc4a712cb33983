"""`sixlens paradigms import`: a prompt of another project as a paradigm's YAML file."""

from __future__ import annotations

from pathlib import Path

from backends.errors import ConfigError
from paradigms.foreign import import_prompt
from sixlens.cli.terminal import emit, emit_json, say


def run_import_prompt(file: Path, out: Path | None, *, as_json: bool) -> int:
    """Write the paradigm to `out`, or to stdout.

    Raises:
        ConfigError: the file is no such prompt, or `out` is there already or cannot be written.
    """
    made = import_prompt(file)
    for note in made.notes:
        say(note)
    if out is not None:
        try:
            with out.open("x", encoding="utf-8") as target:
                target.write(made.text)
        except FileExistsError as error:
            raise ConfigError(f"{out}: is there already; choose another name with -o.") from error
        except OSError as error:
            raise ConfigError(f"{out}: cannot be written ({error.strerror}).") from error
        say(f"Wrote {out}. An ensemble takes it as `paradigms: {{{made.paradigm.name}: {{file: {out}}}}}`.")
    if as_json:
        emit_json(
            {"name": made.paradigm.name, "file": str(out) if out else None, "yaml": made.text, "notes": made.notes}
        )
    elif out is None:
        emit(made.text)
    return 0
