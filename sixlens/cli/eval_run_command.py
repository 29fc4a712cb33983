"""`sixlens eval run` and `sixlens eval validate`: an experiment from its file to its journal."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from backends.errors import ConfigError, ImageError, InputError
from backends.yaml_file import parse_yaml
from evals.experiment import Experiment, load_experiment
from evals.plan import Plan, make_plan
from evals.progress import Progress
from evals.run import RunOptions, perform_run
from evals.shipped import experiment_names
from orchestrator import event_loop
from orchestrator.kit import backend_specs, load_paradigms
from sixlens.cli.aside import Aside
from sixlens.cli.eval_outlook import ArmOutlook, arm_outlook, ask_servers, budget_warnings, notices
from sixlens.cli.logs import logs_on_stderr
from sixlens.cli.terminal import emit, emit_json, say

RUNS = Path("runs")
PAUSE = 5.0
"""Seconds between two lines of progress, at least, where there is no terminal."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """An experiment with what the command line changes of it."""

    experiment: str
    changes: dict[str, Any] = field(default_factory=dict)
    backends: tuple[str, ...] = ()

    def plan(self) -> Plan:
        """Read it, resolve every arm and read the data.

        Raises:
            ConfigError, InputError: something of it is wrong.
        """
        experiment, base = load_experiment(self.experiment, self.changes, self.backends)
        self._need_pictures(experiment)
        return make_plan(experiment, base)

    def _need_pictures(self, experiment: Experiment) -> None:
        """Refuse an experiment that ships without pictures: its `data.path` is no setting of the person's own."""
        given = self.changes.get("data", {}).keys() & {"path", "hf"}
        if self.experiment in experiment_names() and not given and not Path(experiment.data.path or "").exists():
            backend = "" if self.backends else " and --backend PROVIDER:MODEL"
            raise InputError(
                f"{self.experiment}: this experiment ships without pictures: give --data PATH{backend}. "
                f"(Without --data it looks for a folder {experiment.data.path!r} here.)"
            )


@dataclass(frozen=True, slots=True)
class RunCall:
    """What the command line asks for."""

    chosen: Chosen
    folder: Path | None = None
    options: RunOptions = field(default_factory=RunOptions)
    dry_run: bool = False
    as_json: bool = False
    verbose: bool = False


def changes_of(data: Path | None, limit: int | None, engine: str | None, settings: tuple[str, ...]) -> dict[str, Any]:
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
            if not isinstance(inner, dict):
                raise ConfigError(f"--set {path.strip()}: {key!r} was set to a value before.")
        inner[keys[-1]] = parse_yaml(value, f"--set {path.strip()}")
    own: dict[str, Any] = {}
    if data is not None:
        # The folder of the experiment does not count here: the path was typed in the working folder.
        own |= {"path": str(data.absolute()), "hf": None}
    if limit is not None:
        own["limit"] = limit
    if own:
        given = changes.get("data", {})
        changes["data"] = {**(given if isinstance(given, dict) else {}), **own}
    if engine is not None:
        changes["engine"] = engine
    return changes


def run_experiment(call: RunCall) -> int:
    """Perform an experiment, or with `dry_run` say what it would take; the exit code.

    Raises:
        ConfigError: the experiment, its data, an ensemble or a backend is wrong.
        BudgetError: the budget is spent; what is done is kept.
        BackendError, NoVerdictError: an arm's backend gives no verdicts.
        KeyboardInterrupt: it was interrupted; what is done is kept.
    """
    with logs_on_stderr(verbose=call.verbose):
        plan = call.chosen.plan()
        _say_data(plan)
        if call.dry_run:
            return event_loop.run(_outlook(plan, as_json=call.as_json))
        folder = call.folder or RUNS / plan.experiment.name
        began = time.monotonic()
        try:
            progress = event_loop.run(_perform(plan, folder, call.options))
        except KeyboardInterrupt:
            say(f"interrupted; what is done is kept in {folder}: go on with --resume")
            raise
    _say_done(folder, progress, time.monotonic() - began, as_json=call.as_json)
    return _exit_code(progress)


def validate_experiment(chosen: Chosen, *, as_json: bool) -> int:
    """Check an experiment: its arms, its backends, its data and every prompt. Nobody is asked.

    Raises:
        ConfigError, InputError: something is wrong; one line says what.
    """
    with logs_on_stderr(verbose=False):
        plan = chosen.plan()
        _say_data(plan)
        return event_loop.run(_outlook(plan, as_json=as_json))


async def _perform(plan: Plan, folder: Path, options: RunOptions) -> Progress:
    for arm in plan.arms:
        backend_specs(arm.ensemble, load_paradigms(arm.ensemble))  # raises when nobody is named
    outlooks = [await arm_outlook(plan, arm) for arm in plan.arms]
    problem = next((f"{it.arm.name}: {it.found.problems[0]}" for it in outlooks if it.found.problems), None)
    if problem is not None:
        raise ConfigError(problem)
    for line in notices(plan, outlooks, await ask_servers(plan)):
        say(line)
    for line in budget_warnings(plan, outlooks):
        say(f"warning: {line}")
    with _shown(plan) as on_progress:
        return await perform_run(plan, folder, options, on_progress)


def _say_data(plan: Plan) -> None:
    for line in (plan.data.words, *plan.data.notes):
        say(line)
    for line in plan.warnings:
        say(f"warning: {line}")


async def _outlook(plan: Plan, *, as_json: bool) -> int:
    arms = [await arm_outlook(plan, arm) for arm in plan.arms]
    warnings = list(budget_warnings(plan, arms))
    if as_json:
        data = {
            "layout": plan.data.layout,
            "words": plan.data.words,
            "cases": len(plan.data.items),
            "warnings": list(plan.warnings),
            "leaks": [dataclasses.asdict(leak) for leak in plan.leaks],
        }
        each = [arm.as_json() for arm in arms]
        emit_json(
            {
                "experiment": plan.experiment.name,
                "judgments": plan.size,
                "data": data,
                "arms": each,
                "warnings": warnings,
            }
        )
    else:
        emit("".join(f"{line}\n" for line in _lines(plan, arms)))
    for arm in arms:
        for problem in arm.found.problems:
            say(f"{arm.arm.name}: {problem}")
        for warning in arm.found.warnings:
            say(f"{arm.arm.name}: warning: {warning}")
    for warning in warnings:
        say(f"warning: {warning}")
    return ConfigError.exit_code if any(arm.found.problems for arm in arms) else 0


def _lines(plan: Plan, arms: list[ArmOutlook]) -> Iterator[str]:
    experiment = plan.experiment
    yield f"Experiment {experiment.name}: nobody has been asked."
    factors = (
        _number(len(arms), "arm"),
        _number(len(plan.data.items), "case"),
        _number(len(experiment.perturbations), "perturbation"),
        _number(experiment.repeats, "repeat"),
    )
    yield f"{plan.size:,} judgments: {' × '.join(factors)}"
    yield from (f"  {arm.line()}" for arm in arms)
    if len(arms) > 1:
        yield "What two arms ask alike is asked once."
    limits = {key: limit for key, limit in experiment.budget if limit is not None}
    if limits:
        yield f"Budget: at most {', '.join(f'{limit:,} {_UNITS[key]}' for key, limit in limits.items())}."


_UNITS: Mapping[str, str] = MappingProxyType({"calls": "attempts", "tokens": "tokens", "cost": "US dollars"})


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


@contextmanager
def _shown(plan: Plan) -> Iterator[Any]:
    """Progress on stderr: a bar in a terminal, and a line now and then elsewhere."""
    screen = Console(file=sys.stderr)
    if not screen.is_terminal:
        yield LogLines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[words]}"))
    with Bar(*columns, console=screen, transient=True) as bar, Aside(bar):
        task = bar.add_task(plan.experiment.name, total=plan.size, words="")
        yield _OnBar(bar, task)


@dataclass(frozen=True, slots=True)
class _OnBar:
    bar: Bar
    task: TaskID

    def __call__(self, progress: Progress) -> None:
        self.bar.update(self.task, completed=progress.done, words=progress_words(progress))


class LogLines:
    """One line each time a twentieth of the work is done, `PAUSE` seconds apart at least, and one at the end."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = 0.0
        self._not_before = clock() + PAUSE

    def __call__(self, progress: Progress) -> None:
        """Say how far it is, if a line is due."""
        due = progress.done >= self._next and self._clock() >= self._not_before
        if due or progress.done == progress.total:
            self._next = progress.done + progress.total / 20
            self._not_before = self._clock() + PAUSE
            say(f"{progress.done} of {progress.total}: {progress_words(progress)}")


def progress_words(progress: Progress) -> str:
    """How fast it goes, what came of it and what it cost so far, in a few words."""
    parts = []
    if progress.rate is not None:
        parts.append(f"{progress.rate:.1f} a second")
    if progress.coverage is not None:
        parts.append(f"{progress.coverage:.0%} decided")
    if progress.cost_at_least or (progress.calls and progress.cost is not None):
        parts.append(f"{'at least ' if progress.unpriced else ''}${progress.cost_at_least:.2f}")
    if progress.seconds_left is not None:
        parts.append(f"{_time(progress.seconds_left)} left")
    return ", ".join(parts)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _say_done(folder: Path, progress: Progress, seconds: float, *, as_json: bool) -> None:
    if as_json:
        emit_json(
            {
                "run": str(folder),
                "done": progress.done,
                "total": progress.total,
                "labels": dict(progress.labels),
                "errors": dict(progress.errors),
                "failed_before": progress.failed_before,
                "calls": progress.calls,
                "cost": progress.cost,
                "cost_at_least": progress.cost_at_least,
                "seconds": round(seconds, 1),
            }
        )
        return
    emit(f"{folder}: {progress.done:,} of {progress.total:,} judgments are done.\n")
    wrong = sum(progress.errors.values())
    if wrong:
        kinds = ", ".join(f"{kind} {count}" for kind, count in progress.errors.most_common())
        emit(f"{_number(wrong, 'judgment')} of this session ended in an error ({kinds}).\n")
    if progress.failed_before:
        emit(f"{_number(progress.failed_before, 'judgment')} done before failed, in whole or in part.\n")
    if wrong or progress.failed_before:
        emit("With --retry-failed they are done again.\n")
    emit(f"See `sixlens eval report {folder}`.\n")


def _exit_code(progress: Progress) -> int:
    """As for `judge`: 1 when a backend gave no verdict, else 2 when a picture could not be used."""
    codes = {2 if kind in (ImageError.__name__, InputError.__name__) else 1 for kind in progress.errors}
    return min(codes, default=0)
