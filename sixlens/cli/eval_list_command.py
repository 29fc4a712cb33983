"""`sixlens eval list` and `import`: which experiments and runs there are, and runs of other people's votes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from backends.errors import ConfigError
from backends.layers.budget import Amount
from evals.experiment import load_experiment
from evals.foreign_votes import read_foreign_votes
from evals.journal import Header, Journal, count_tasks, read_header
from evals.run import JOURNAL, locked
from evals.shipped import experiment_names
from evals.stored_run import IMPORTED, rules_of
from orchestrator.config import load_ensemble
from sixlens.cli.page import show
from sixlens.cli.table import columns
from sixlens.cli.terminal import emit, emit_json


def run_list(folder: Path, *, as_json: bool) -> int:
    """List the experiments that ship, and the runs in a folder."""
    shipped = [(name, load_experiment(name)[0].description) for name in experiment_names()]
    runs = [_run(path.parent) for path in sorted(folder.glob(f"*/{JOURNAL}"))]
    if as_json:
        emit_json({"experiments": [{"name": name, "description": text} for name, text in shipped], "runs": runs})
        return 0
    show(columns(shipped, ("experiment", "what it asks")))
    if runs:
        emit("\n")
        rows = [(str(run["folder"]), str(run["experiment"]), str(run["judgments"]), str(run["begun"])) for run in runs]
        show(columns(rows, ("run", "experiment", "judgments", "begun")))
    return 0


def run_import(votes: Path, folder: Path, *, as_json: bool) -> int:
    """Make a run of a file of votes.

    Raises:
        InputError: the file is wrong.
        ConfigError: there is a run in the folder already, or it cannot be written.
    """
    six = load_ensemble("six")
    judgments = read_foreign_votes(votes, rules_of(six), len(six.paradigms))
    header = Header(
        experiment=f"votes of {votes.name}", created_at=datetime.now(UTC), identity={IMPORTED: str(len(judgments))}
    )
    with locked(folder):
        if (folder / JOURNAL).exists():
            raise ConfigError(f"{folder}: there is a run already; choose another folder with -o.")
        journal = Journal.open(folder / JOURNAL, header)
        try:
            for judgment in judgments:
                journal.append(judgment, None, Amount())
        finally:
            journal.close()
    if as_json:
        emit_json(
            {"run": str(folder), "cases": len(judgments), "paradigms": sorted({v for j in judgments for v in j.votes})}
        )
    else:
        emit(f"{folder}: {len(judgments)} cases. See `sixlens eval report {folder}`.\n")
    return 0


def _run(folder: Path) -> dict[str, object]:
    try:
        header, judgments = read_header(folder / JOURNAL), count_tasks(folder / JOURNAL)
    except ConfigError as error:
        return {"folder": str(folder), "experiment": f"unreadable: {error}", "judgments": 0, "begun": ""}
    begun = header.created_at.isoformat(timespec="minutes")
    return {"folder": str(folder), "experiment": header.experiment, "judgments": judgments, "begun": begun}
