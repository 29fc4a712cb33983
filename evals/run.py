"""A run: an experiment performed into a folder, resumed after whatever stopped it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from backends.errors import BudgetError, ConfigError, NoVerdictError
from backends.layers.budget import Budget
from evals.engines.local import run_local
from evals.engines.stretch import Stretch
from evals.experiment import RunBudget
from evals.journal import Journal
from evals.judgment import Judgment
from evals.plan import Plan
from evals.progress import Progress
from evals.run_config import write_config
from evals.task import Result

JOURNAL, LOCK = "journal.jsonl", "lock"
HOPELESS = 20
"""When so many tasks of an arm come to an end and none has a verdict, the run stops."""
Engine = Callable[[Stretch, Budget], AsyncGenerator[Result]]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run is begun or taken up again."""

    resume: bool = False
    retry_failed: bool = False
    """Do again what ended in an error or has a failed examination; means `resume`."""


async def perform_run(
    plan: Plan, folder: Path, options: RunOptions, on_progress: Callable[[Progress], None] = lambda progress: None
) -> Progress:
    """Perform what is not done yet, and journal every result as it comes.

    Args:
        plan: what to do.
        folder: the run's; made if it is not there.
        options: whether to go on with a run that is there.
        on_progress: called after every result.

    Raises:
        ConfigError: there is a run already (without `resume`), it is of another experiment, or somebody else works on
            it; or a backend cannot be used.
        BudgetError: the budget is spent; what is done is kept.
        BackendError, NoVerdictError: an arm's backend gives no verdicts at all.
    """
    with locked(folder):
        journal = _open(plan, folder, options)
        try:
            done = journal.done - (journal.failed if options.retry_failed else set())
            progress = Progress(plan.size, len(done))
            budget = _rest(plan.experiment.budget, journal)
            for arm, repeat in plan.stretches():
                tasks = plan.tasks(arm, repeat, frozenset(done))
                stretch = Stretch(plan, arm, repeat, tasks, folder / f"answers-{repeat}.sqlite")
                await _perform(stretch, budget, journal, progress, on_progress)
            return progress
        finally:
            journal.close()


async def _perform(
    stretch: Stretch,
    budget: Budget,
    journal: Journal,
    progress: Progress,
    on_progress: Callable[[Progress], None],
) -> None:
    hope = _Hope(stretch.arm.name)
    async with aclosing(_engine(stretch)(stretch, budget)) as results:
        async for result in results:
            if result.starved:
                raise BudgetError(
                    f"The run's budget is spent after {progress.done} of {progress.total} tasks. What is done is kept: "
                    "raise the budget and go on with --resume."
                )
            journal.append(result.judgment, result.verdict, budget.spent)
            progress.add(result.judgment)
            on_progress(progress)
            hope.hear(result.judgment)


def _engine(stretch: Stretch) -> Engine:
    if stretch.plan.experiment.engine == "local":
        return run_local
    from evals.engines.ray import run_ray

    return run_ray


class _Hope:
    """Stops a run whose backend gives nothing, before it has gone through the whole data set."""

    def __init__(self, arm: str) -> None:
        self._arm = arm
        self._vain = 0
        self._heard = False

    def hear(self, judgment: Judgment) -> None:
        if judgment.error_kind != NoVerdictError.__name__:
            self._heard = self._heard or judgment.error is None
            return
        self._vain += 1
        if not self._heard and self._vain >= HOPELESS:
            raise NoVerdictError(
                f"Stopped: the first {HOPELESS} tasks of {self._arm!r} got no verdict. The last said: {judgment.error} "
                "Mend it and go on with --retry-failed."
            )


def _rest(limits: RunBudget, journal: Journal) -> Budget:
    """What earlier sessions left of the budget."""
    before = journal.spent_before
    return Budget(
        calls=None if limits.calls is None else max(0, limits.calls - before.calls),
        tokens=None if limits.tokens is None else max(0, limits.tokens - before.tokens),
        cost=None if limits.cost is None else max(0.0, limits.cost - before.cost),
        name="experiment",
    )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else works on the run meanwhile. The operating system gives the lock back when a process dies."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ConfigError(f"{folder}: another process works on this run; wait for it, or stop it.") from error
    except OSError as error:
        raise ConfigError(f"{folder}: the run's folder cannot be written ({error.strerror}).") from error
    try:
        yield
    finally:
        lock.release()


def _open(plan: Plan, folder: Path, options: RunOptions) -> Journal:
    path = folder / JOURNAL
    resume = options.resume or options.retry_failed
    if path.exists() and path.stat().st_size and not resume:
        raise ConfigError(f"{folder}: there is a run already. Go on with --resume, or choose another folder with -o.")
    if resume and not path.exists():
        raise ConfigError(f"{folder}: there is no run to go on with. Start it without --resume.")
    journal = Journal.open(path, plan.header())
    write_config(plan, folder)
    return journal
