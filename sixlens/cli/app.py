"""The commands and their options. Each imports its work when it is called, so that `--help` costs nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.main import get_command

from backends.errors import ConfigError, SixlensError
from sixlens.cli.eval_app import eval_app

CONFIGURATION, INTERRUPTED, READER_GONE = ConfigError.exit_code, 130, 141

app = typer.Typer(
    name="sixlens",
    help="Judge whether an image is a photograph or AI-generated, and say why.",
    epilog="Exit codes: 0 a verdict for every input; 1 a backend gave none; 2 some input unusable; 3 budget spent; "
    "4 configuration or usage; 130 interrupted.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cache_app = typer.Typer(help="The answers that are kept on disk.", no_args_is_help=False, rich_markup_mode=None)
app.add_typer(cache_app, name="cache")
app.add_typer(eval_app, name="eval")
paradigms_app = typer.Typer(help="List the paradigms that ship.", no_args_is_help=False, rich_markup_mode=None)
app.add_typer(paradigms_app, name="paradigms")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Traces = Annotated[
    bool,
    typer.Option(
        "--traces",
        envvar="SIXLENS_TRACES",
        help="Send OpenTelemetry traces, without pictures and words, to where OTEL_EXPORTER_OTLP_ENDPOINT says.",
    ),
]


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Judge whether an image is a photograph or AI-generated, and say why."""
    if version:
        import sixlens

        typer.echo(f"sixlens {sixlens.__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(CONFIGURATION)


@app.command("judge")
def judge_command(
    images: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE", help="Pictures: paths, - for standard input, data URIs, or addresses."),
    ],
    ensemble: Annotated[
        str | None,
        typer.Option(
            "--ensemble",
            "-e",
            metavar="NAME|FILE",
            help="Which ensemble judges. Default: six when a backend is named, else measured.",
        ),
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(
            "--backend",
            "-b",
            metavar="SPEC",
            help="Who is asked, as PROVIDER:MODEL, instead of every backend of the ensemble; see `sixlens backends`.",
        ),
    ] = None,
    fusion: Annotated[
        str | None, typer.Option("--fusion", metavar="NAME", help="vote, tally, panel, decisive, log_odds or stacked.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY.KEY=VALUE", help="Any other setting of the ensemble; may be repeated."),
    ] = None,
    stability: Annotated[
        int | None,
        typer.Option(
            "--stability",
            min=0,
            max=6,
            metavar="N",
            help="Judge N mild variants of each picture too; a label that they flip becomes undecided.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One object for one picture, a list for several.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One object a line, as pictures are done.")] = False,
    trace: Annotated[bool, typer.Option("--trace", help="Add the prompts and answers, word for word.")] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Write a page too; for several pictures a list, with a folder of pages."
        ),
    ] = None,
    include_private: Annotated[
        bool,
        typer.Option("--include-private", help="Show paths, private texts of the file and --trace on the page."),
    ] = False,
    traces: Traces = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be asked of whom, and what it would cost. Ask nobody.")
    ] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither keep answers nor use those kept.")] = False,
    allow_urls: Annotated[bool, typer.Option("--allow-urls", help="Fetch pictures from web addresses.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more, and with tracebacks.")] = False,
) -> None:
    """Judge pictures: a photograph or generated, and why."""
    from orchestrator.config import Overrides
    from sixlens.cli.judge_command import Form, JudgeCall, run_judge

    if json and jsonl:
        raise ConfigError("Give --json or --jsonl, not both.")
    if include_private and html is None:
        raise ConfigError("--include-private is about the page: give --html FILE with it.")
    form = Form.JSON if json else Form.JSONL if jsonl else Form.TEXT
    call = JudgeCall(
        images=tuple(images),
        ensemble=ensemble,
        overrides=Overrides(backend, fusion, tuple(settings or ())),
        form=form,
        trace=trace,
        cache=not no_cache,
        allow_urls=allow_urls,
        verbose=verbose,
        stability=stability,
        html=html,
        include_private=include_private,
        traces=traces,
    )
    raise typer.Exit(run_judge(call, dry_run=dry_run))


@app.command("serve")
def serve_command(
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on. Any but this machine's own needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", help="0 takes a free one.")] = 8080,
    ensemble: Annotated[
        list[str] | None,
        typer.Option(
            "--ensemble",
            "-e",
            metavar="NAME|FILE",
            help="What can be chosen; may be repeated, the first is the default. By default six, when a backend is "
            "named, and measured.",
        ),
    ] = None,
    backend: Annotated[
        str | None, typer.Option("--backend", "-b", metavar="SPEC", help="Who is asked, as PROVIDER:MODEL.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY.KEY=VALUE", help="Any other setting of the ensembles; may be repeated."),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            metavar="FOLDER",
            help="Where judgments and pictures are kept; by default in your data folder.",
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="The token in its first line, instead of SIXLENS_TOKEN."),
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option("--allowed-host", metavar="NAME", help="Another name of this server, as of a proxy; repeatable."),
    ] = None,
    allow_urls: Annotated[bool, typer.Option("--allow-urls", help="Fetch pictures from web addresses.")] = False,
    concurrency: Annotated[int, typer.Option("--concurrency", help="Pictures judged at once.")] = 4,
    queue: Annotated[int, typer.Option("--queue", help="Judgments that may wait; more are told to come later.")] = 64,
    max_bytes: Annotated[int, typer.Option("--max-bytes", help="The largest picture, in bytes.")] = 50 * 1024 * 1024,
    max_pixels: Annotated[
        int, typer.Option("--max-pixels", help="The largest picture, in pixels; memory goes by them.")
    ] = 100_000_000,
    keep_pictures: Annotated[
        bool,
        typer.Option(
            "--keep-pictures", help="Keep pictures as long as judgments, not only while a case waits for a person."
        ),
    ] = False,
    retention_days: Annotated[float, typer.Option("--retention-days", help="How long judgments are kept.")] = 200.0,
    review_share: Annotated[
        float, typer.Option("--review-share", help="The share of decided judgments that a person looks at, 0 to 1.")
    ] = 0.02,
    grace: Annotated[
        float, typer.Option("--grace", help="Seconds that work under way has when the server is told to stop.")
    ] = 30.0,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither keep answers nor use those kept.")] = False,
    traces: Traces = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more, and with tracebacks.")] = False,
) -> None:
    """Serve the page, the HTTP API and the review queue."""
    from orchestrator.config import Overrides
    from sixlens.cli.serve_command import ServeCall, run_serve

    call = ServeCall(
        host=host,
        port=port,
        ensembles=tuple(ensemble or ()),
        overrides=Overrides(backend, None, tuple(settings or ())),
        data_dir=data_dir,
        token_file=token_file,
        allowed_hosts=tuple(allowed_host or ()),
        allow_urls=allow_urls,
        concurrency=concurrency,
        queue=queue,
        max_bytes=max_bytes,
        max_pixels=max_pixels,
        keep_pictures=keep_pictures,
        retention_days=retention_days,
        review_share=review_share,
        grace_s=grace,
        cache=not no_cache,
        traces=traces,
        open_page=open_page,
        verbose=verbose,
    )
    raise typer.Exit(run_serve(call))


@app.command("graph")
def graph_command(
    ensemble: Annotated[str, typer.Argument(metavar="ENSEMBLE", help="A name or a YAML file.")] = "six",
) -> None:
    """Print the graph of an ensemble as Mermaid."""
    from sixlens.cli.lists import print_graph

    print_graph(ensemble)


@app.command("validate")
def validate_command(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE|NAME", help="An ensemble or a paradigm: its YAML file, or its name if it ships."),
    ],
    json: AsJson = False,
) -> None:
    """Check an ensemble or a paradigm: read it, and render every prompt with a drawn picture. Nobody is asked."""
    from sixlens.cli.validate_command import run_validate

    raise typer.Exit(run_validate(file, as_json=json))


@app.command("ensembles")
def ensembles_command(json: AsJson = False) -> None:
    """List the ensembles that ship."""
    from sixlens.cli.lists import print_ensembles

    print_ensembles(as_json=json)


@paradigms_app.callback(invoke_without_command=True)
def paradigms_command(context: typer.Context, json: AsJson = False) -> None:
    """List the paradigms that ship: the ways of looking."""
    if context.invoked_subcommand is not None:
        return
    from sixlens.cli.lists import print_paradigms

    print_paradigms(as_json=json)


@paradigms_app.command("import")
def paradigms_import_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A prompt of mllm-defake: JSON, format_version 3.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The YAML file. Default: stdout.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Make a paradigm of a prompt of another project."""
    from sixlens.cli.import_command import run_import_prompt

    raise typer.Exit(run_import_prompt(file, out, as_json=json))


@app.command("backends")
def backends_command(json: AsJson = False) -> None:
    """List who can be asked, and how to name them."""
    from sixlens.cli.lists import print_backends

    print_backends(as_json=json)


@app.command("schema")
def schema_command(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="verdict, ensemble, paradigm, exemplars, experiment or calibration."),
    ],
) -> None:
    """Print a JSON Schema, for editors and for checking answers."""
    from sixlens.cli.terminal import emit_json
    from sixlens.schemas import schema

    emit_json(schema(name))


@app.command("doctor")
def doctor_command(json: AsJson = False) -> None:
    """Say what is installed and what works here. Nothing leaves this machine."""
    from sixlens.cli.doctor import run_doctor

    run_doctor(as_json=json)


@cache_app.command("path")
def cache_path_command() -> None:
    """Print where the answers are kept."""
    from sixlens.cli.cache_command import print_path

    print_path()


@cache_app.command("stats")
def cache_stats_command(json: AsJson = False) -> None:
    """Say how many answers are kept, and how much room they take."""
    from sixlens.cli.cache_command import print_stats

    print_stats(as_json=json)


@cache_app.command("clear")
def cache_clear_command() -> None:
    """Throw every kept answer away."""
    from sixlens.cli.cache_command import clear

    clear()


def run(arguments: Sequence[str]) -> int:
    """Run one command line; its exit code. A mistake of the user is one line on stderr."""
    from sixlens.cli.terminal import OutputError, say

    try:
        code = get_command(app).main(list(arguments), prog_name="sixlens", standalone_mode=False)
    except typer.TyperException as error:
        say(_usage(error))
        return CONFIGURATION
    except SixlensError as error:
        say(str(error))
        return error.exit_code
    except OutputError as error:
        if error.closed:
            return READER_GONE
        say(f"the answer cannot be written: {error}.")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit:
        # typer and rich end the program like this, with a code of their own, when a pipe breaks under them.
        return READER_GONE
    return code if isinstance(code, int) else 0


def _usage(error: typer.TyperException) -> str:
    """What is wrong with the command line, and where to look it up."""
    message = re.sub(r" \(Possible options: ([^)]+)\)", "", error.format_message())
    near = difflib.get_close_matches(getattr(error, "option_name", ""), getattr(error, "possibilities", None) or (), 1)
    message = f"{message.rstrip('.')}. Did you mean {near[0]}?" if near else message
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "sixlens"
    mistaken = re.match("No such command '(.+)'", message)
    if mistaken and Path(mistaken[1]).is_file():
        return f"{message.rstrip('.')}. A picture is judged by `sixlens judge IMAGE`."
    return f"{message}{'' if message.endswith(('.', '?')) else '.'} See `{command} --help`."
