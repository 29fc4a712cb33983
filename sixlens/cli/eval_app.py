"""`sixlens eval`: experiments over data sets, and what their runs say."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer

from backends.errors import MissingExtraError

eval_app = typer.Typer(
    help="Experiments over data sets: run them, resume them, report, ablate, calibrate, compare.",
    no_args_is_help=False,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ExperimentName = Annotated[str, typer.Argument(metavar="FILE|NAME", help="A YAML file, or one of `sixlens eval list`.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="PATH", help="The pictures, instead of the experiment's data.path.")
]
Backends = Annotated[
    list[str] | None,
    typer.Option("--backend", "-b", metavar="SPEC", help="Who is asked; given several times, each is an arm."),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="So many cases at most, instead of data.limit.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY.KEY=VALUE", help="Any other setting of the experiment; may be repeated."),
]
Arm = Annotated[str | None, typer.Option("--arm", metavar="NAME", help="Which arm, where a run has several.")]
Perturbation = Annotated[str, typer.Option("--perturbation", metavar="NAME", help="Under which perturbation.")]
Labels = Annotated[
    Path | None,
    typer.Option("--labels", metavar="CSV", help="People's decisions (sha256, label) that count above the data's."),
]


@eval_app.callback()
def needs_extra() -> None:
    """Experiments over data sets: run them, resume them, report, ablate, calibrate, compare."""
    missing = [name for name in ("sklearn", "scipy", "filelock") if find_spec(name) is None]
    if missing:
        raise MissingExtraError("sixlens eval", "eval")


@eval_app.command("run")
def run_command(
    experiment: ExperimentName,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="RUN", help="The run's folder. Default: runs/NAME.")
    ] = None,
    data: Data = None,
    backend: Backends = None,
    limit: Limit = None,
    engine: Annotated[str | None, typer.Option("--engine", help="local or ray.")] = None,
    settings: Settings = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped, or begin it.")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Resume, and do again what got no verdict or lacks an examination.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be asked of whom, and what it would cost. Ask nobody.")
    ] = False,
    json: AsJson = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more, and with tracebacks.")] = False,
) -> None:
    """Judge a data set with every arm of an experiment."""
    from evals.run import RunOptions
    from sixlens.cli.eval_run_command import Chosen, RunCall, changes_of, run_experiment

    changes = changes_of(data, limit, engine, tuple(settings or ()))
    call = RunCall(
        chosen=Chosen(experiment, changes, tuple(backend or ())),
        folder=out,
        options=RunOptions(resume=resume, retry_failed=retry_failed),
        dry_run=dry_run,
        as_json=json,
        verbose=verbose,
    )
    raise typer.Exit(run_experiment(call))


@eval_app.command("validate")
def validate_command(
    experiment: ExperimentName,
    data: Data = None,
    backend: Backends = None,
    limit: Limit = None,
    settings: Settings = None,
    json: AsJson = False,
) -> None:
    """Check an experiment: its arms, its data and every prompt. Nobody is asked."""
    from sixlens.cli.eval_run_command import Chosen, changes_of, validate_experiment

    changes = changes_of(data, limit, None, tuple(settings or ()))
    raise typer.Exit(validate_experiment(Chosen(experiment, changes, tuple(backend or ())), as_json=json))


@eval_app.command("report")
def report_command(
    run: RunFolder,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where to write. Default: the run's folder.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Write a run's report as HTML, Markdown, LaTeX and CSV. No new calls."""
    from sixlens.cli.eval_report_command import run_report

    raise typer.Exit(run_report(run, out=out, as_json=json))


@eval_app.command("ablate")
def ablate_command(
    run: RunFolder,
    arm: Arm = None,
    perturbation: Perturbation = "none",
    labels: Labels = None,
    json: AsJson = False,
) -> None:
    """Say what each paradigm adds: all subsets, Shapley values, agreement. No new calls."""
    from sixlens.cli.eval_analysis_command import AnalysisCall, run_ablate

    raise typer.Exit(run_ablate(AnalysisCall(run, arm, perturbation, labels, json)))


@eval_app.command("calibrate")
def calibrate_command(
    run: RunFolder,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The calibration's YAML file.")
    ] = None,
    arm: Arm = None,
    perturbation: Perturbation = "none",
    strategy: Annotated[
        Literal["log_odds", "stacked"], typer.Option("--strategy", help="What is fitted.")
    ] = "log_odds",
    target_fpr: Annotated[
        float, typer.Option("--target-fpr", help="The share of photographs that may be called generated.")
    ] = 0.01,
    prior: Annotated[
        float, typer.Option("--prior", help="The share of generated pictures where it will be used.")
    ] = 0.5,
    certainty: Annotated[
        bool, typer.Option("--certainty", help="Weigh the p_generated of votes too; with --strategy stacked.")
    ] = False,
    stages: Annotated[
        list[str] | None,
        typer.Option("--stages", metavar="A,B/C,D", help="Stages to try too, slashes between them; may be repeated."),
    ] = None,
    labels: Labels = None,
    json: AsJson = False,
) -> None:
    """Fit weights and thresholds on a run's votes. No new calls."""
    from sixlens.cli.eval_analysis_command import AnalysisCall, Fitting, run_calibrate

    fitting = Fitting(strategy, target_fpr, prior, tuple(stages or ()), out, certainty)
    raise typer.Exit(run_calibrate(AnalysisCall(run, arm, perturbation, labels, json), fitting))


@eval_app.command("compare")
def compare_command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="One run with several arms, or several runs.")],
    reference: Annotated[
        str | None, typer.Option("--reference", metavar="ARM", help="Compare with this arm only; default: all pairs.")
    ] = None,
    perturbation: Perturbation = "none",
    json: AsJson = False,
) -> None:
    """Compare arms on the cases that both have: McNemar and paired bootstrap. No new calls."""
    from sixlens.cli.eval_analysis_command import run_compare

    raise typer.Exit(run_compare(tuple(runs), reference, perturbation, as_json=json))


@eval_app.command("list")
def list_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where runs lie.")] = Path("runs"),
    json: AsJson = False,
) -> None:
    """List the experiments that ship, and the runs there are."""
    from sixlens.cli.eval_list_command import run_list

    raise typer.Exit(run_list(folder, as_json=json))


@eval_app.command("import")
def import_command(
    votes: Annotated[Path, typer.Argument(metavar="VOTES.csv", help="Columns case, label, paradigm, vote.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="RUN", help="The run's folder.")],
    json: AsJson = False,
) -> None:
    """Make a run of other people's votes, to ablate, calibrate and compare them. No calls."""
    from sixlens.cli.eval_list_command import run_import

    raise typer.Exit(run_import(votes, out, as_json=json))
