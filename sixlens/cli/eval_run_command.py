"""`sixlens eval run` and `sixlens eval validate`: an experiment from its file to its journal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from backends.errors import ConfigError
from backends.prices import Prices
from backends.registry import open_backend
from backends.settings import BackendSettings
from backends.yaml_file import build, parse_yaml
from evals.experiment import load_experiment
from evals.plan import Plan, make_plan
from evals.progress import Progress
from evals.run import RunOptions, perform_run
from orchestrator.ensemble import Ensemble
from orchestrator.plan import plan_case
from sixlens.cli.logs import logs_on_stderr
from sixlens.cli.plan_text import cost_words
from sixlens.cli.terminal import emit, emit_json, say

RUNS = Path("runs")


@dataclass(frozen=True, slots=True)
class RunCall:
    """What the command line asks for."""

    experiment: str
    folder: Path | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    options: RunOptions = field(default_factory=RunOptions)
    dry_run: bool = False
    as_json: bool = False
    verbose: bool = False


def changes_of(
    data: Path | None, backends: tuple[str, ...], limit: int | None, engine: str | None, settings: tuple[str, ...]
) -> dict[str, Any]:
    """The options of the command line as settings of an experiment.

    Raises:
        ConfigError: one of `settings` is no `KEY.KEY=VALUE`.
    """
    changes: dict[str, Any] = {}
    for text in settings:
        path, equals, value = text.partition("=")
        keys = path.strip().split(".")
        if not equals or not all(keys):
            raise ConfigError(f"--set takes KEY.KEY=VALUE, for example repeats=3; got {text!r}.")
        inner = changes
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
        inner[keys[-1]] = parse_yaml(value, f"--set {path.strip()}")
    if data is not None:
        # The folder of the experiment does not count here: the path was typed in the working folder.
        changes.setdefault("data", {})["path"] = str(data.absolute())
    if limit is not None:
        changes.setdefault("data", {})["limit"] = limit
    if len(backends) == 1:
        changes.setdefault("base", {})["backend"] = backends[0]
    if backends:
        changes.setdefault("grid", {})["backend"] = list(backends) if len(backends) > 1 else []
    if engine is not None:
        changes["engine"] = engine
    return changes


def run_experiment(call: RunCall) -> int:
    """Perform an experiment, or with `dry_run` say what it would take; the exit code.

    Raises:
        ConfigError: the experiment, its data, an ensemble or a backend is wrong.
        BudgetError: the budget is spent; what is done is kept.
        BackendError, NoVerdictError: an arm's backend gives no verdicts.
    """
    with logs_on_stderr(verbose=call.verbose):
        experiment, base = load_experiment(call.experiment, call.changes)
        plan = make_plan(experiment, base)
        for note in (plan.data.words, *plan.data.notes, *plan.data.warnings):
            say(note)
        if call.dry_run:
            return _dry_run(plan, as_json=call.as_json)
        folder = call.folder or RUNS / experiment.name
        for line in _notices(plan):
            say(line)
        with _shown(plan) as on_progress:
            progress = asyncio.run(perform_run(plan, folder, call.options, on_progress))
    _say_done(folder, progress, as_json=call.as_json)
    return 0


def validate_experiment(name: str, changes: dict[str, Any], *, as_json: bool) -> int:
    """Check an experiment: read it, resolve every arm, read the data and rehearse the prompts. Nobody is asked.

    Raises:
        ConfigError: something is wrong; one line says what.
    """
    experiment, base = load_experiment(name, changes)
    return _dry_run(make_plan(experiment, base), as_json=as_json)


def _dry_run(plan: Plan, *, as_json: bool) -> int:
    arms = [_arm_outlook(plan, arm.name, arm.ensemble) for arm in plan.arms]
    problems = [f"{arm['arm']}: {problem}" for arm in arms for problem in arm["problems"]]
    if as_json:
        data = {"layout": plan.data.layout, "cases": len(plan.data.items), "warnings": list(plan.data.warnings)}
        emit_json({"experiment": plan.experiment.name, "tasks": plan.size, "data": data, "arms": arms})
    else:
        emit("\n".join(_lines(plan, arms)) + "\n")
    for problem in problems:
        say(problem)
    return ConfigError.exit_code if problems else 0


def _lines(plan: Plan, arms: list[dict[str, Any]]) -> Iterator[str]:
    experiment = plan.experiment
    yield f"Experiment {experiment.name}: nobody has been asked."
    each = (
        f"{len(plan.data.items)} cases × {len(experiment.perturbations)} perturbations × {experiment.repeats} repeats"
    )
    yield f"{plan.size} judgments: {len(plan.arms)} arms × {each}"
    for arm in arms:
        yield f"  {arm['arm']}: {arm['calls_a_case']} calls a case, {arm['calls']} in all; {arm['destination']}"
        yield f"    estimated cost: {cost_words(arm['cost'])}"


def _arm_outlook(plan: Plan, name: str, ensemble: Ensemble) -> dict[str, Any]:
    """What one arm would take, every question asked once and none answered out of the cache."""
    rehearsed = asyncio.run(plan_case(ensemble))
    tasks = plan.size // len(plan.arms)
    edge = ensemble.image.max_edge
    one = rehearsed.cost(Prices.load(Path(ensemble.prices) if ensemble.prices else None), (edge, edge))
    return {
        "arm": name,
        "backends": list(rehearsed.backends),
        "destination": "; ".join(_where(ensemble, spec) for spec in rehearsed.backends) or "asks no model",
        "calls_a_case": len(rehearsed.calls),
        "calls": len(rehearsed.calls) * tasks,
        "cost": None if one is None else one * tasks,
        "problems": list(rehearsed.problems),
    }


def _where(ensemble: Ensemble, spec: str) -> str:
    settings = build(BackendSettings, ensemble.backends.get(spec, {}), f"backends.{spec}")
    known = open_backend(spec, settings).capabilities
    return f"{spec} {'leaves this machine for' if known.hosted else 'stays on this machine:'} {known.destination}"


def _notices(plan: Plan) -> Iterator[str]:
    """What is said before pictures leave this machine."""
    for arm in plan.arms:
        outlook = _arm_outlook(plan, arm.name, arm.ensemble)
        if "leaves this machine" in outlook["destination"]:
            yield (
                f"{arm.name}: {len(plan.data.items)} pictures, without metadata, as JPEG of at most "
                f"{arm.ensemble.image.max_edge} pixels a side; {outlook['destination']}. Calls: at most "
                f"{outlook['calls']}. Estimated cost: {cost_words(outlook['cost'])}."
            )


@contextmanager
def _shown(plan: Plan) -> Iterator[Any]:
    """Progress on stderr: a bar in a terminal, and a line now and then elsewhere."""
    screen = Console(file=sys.stderr)
    if not screen.is_terminal:
        yield _Lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[words]}"))
    with Bar(*columns, console=screen, transient=True) as bar:
        task = bar.add_task(plan.experiment.name, total=plan.size, words="")
        yield _OnBar(bar, task)


@dataclass(frozen=True, slots=True)
class _OnBar:
    bar: Bar
    task: TaskID

    def __call__(self, progress: Progress) -> None:
        self.bar.update(self.task, completed=progress.done, words=_words(progress))


class _Lines:
    """One line each time a twentieth of the work is done."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        if progress.done >= self._next or progress.done == progress.total:
            self._next = progress.done + progress.total / 20
            say(f"{progress.done} of {progress.total}: {_words(progress)}")


def _words(progress: Progress) -> str:
    parts = []
    if progress.rate is not None:
        parts.append(f"{progress.rate:.1f} a second")
    if progress.coverage is not None:
        parts.append(f"{progress.coverage:.0%} decided")
    if progress.cost is not None:
        parts.append(f"${progress.cost:.2f}")
    if progress.seconds_left is not None:
        parts.append(f"{_time(progress.seconds_left)} left")
    return ", ".join(parts)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _say_done(folder: Path, progress: Progress, *, as_json: bool) -> None:
    if as_json:
        emit_json({"run": str(folder), "done": progress.done, "total": progress.total, "labels": dict(progress.labels)})
    else:
        emit(f"{folder}: {progress.done} of {progress.total} judgments are done.\n")
        emit(f"See `sixlens eval report {folder}`.\n")
