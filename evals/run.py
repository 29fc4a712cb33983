"""A run: an experiment performed into a folder, resumed after whatever stopped it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from backends.errors import BudgetError, ConfigError, NoVerdictError
from backends.layers.budget import Amount, Budget
from evals.engines.kept import KeptModels
from evals.engines.local import run_local
from evals.engines.stretch import Stretch
from evals.journal import Header, Journal, Key, read_header
from evals.judgment import Judgment
from evals.plan import Plan
from evals.progress import Progress
from evals.run_budget import JournaledBudget
from evals.run_config import changes, write_config
from evals.task import Result

JOURNAL, LOCK = "journal.jsonl", "lock"
HOPELESS = 20
"""When so many tasks of an arm come to an end and none has a verdict, the run stops."""
Engine = Callable[[Stretch, Budget], AsyncGenerator[Result]]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run is begun or taken up again."""

    resume: bool = False
    """Go on with a run that is there; one that is not is begun."""
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
        ConfigError: there is a run already (without `resume`), something has changed since it began, or somebody else
            works on it; or a backend cannot be used, or the journal cannot be written.
        BudgetError: the budget is spent; what is done is kept.
        BackendError, NoVerdictError: an arm's backend gives no verdicts at all.
    """
    with locked(folder):
        journal = _open(plan, folder, options)
        budget = JournaledBudget(plan.experiment.budget, journal)
        done = frozenset(journal.done - (journal.failed if options.retry_failed else set()))
        work = _Work(plan, folder, journal, budget, Progress(plan.size, len(done), len(journal.failed & done)))
        try:
            await work.perform(done, on_progress)
        finally:
            _close(journal, budget)
        return work.progress


def _close(journal: Journal, budget: JournaledBudget) -> None:
    """Write down what was really spent: nothing is under way any more."""
    try:
        with contextlib.suppress(ConfigError):  # whoever wrote the line before was told
            if budget.committed != Amount():
                journal.note_spent(budget.committed)
    finally:
        journal.close()


@dataclass(frozen=True, slots=True)
class _Work:
    """A session of a run."""

    plan: Plan
    folder: Path
    journal: Journal
    budget: JournaledBudget
    progress: Progress

    async def perform(self, done: frozenset[Key], on_progress: Callable[[Progress], None]) -> None:
        """All stretches, those of one backend with the same loaded models."""
        shared = KeptModels()
        asked: str | None = None
        try:
            for arm, repeat in self.plan.stretches():
                if arm.ensemble.backend != asked:
                    await shared.let_go()
                    asked = arm.ensemble.backend
                tasks = self.plan.tasks(arm, repeat, done)
                first = next(tasks, None)
                if first is None:
                    continue  # nothing to do, so nobody has to be reached and no model loaded
                answers = self.folder / f"answers-{repeat}.sqlite"
                stretch = Stretch(self.plan, arm, repeat, itertools.chain((first,), tasks), answers, shared)
                await self._stretch(stretch, on_progress)
        finally:
            await shared.let_go()

    async def _stretch(self, stretch: Stretch, on_progress: Callable[[Progress], None]) -> None:
        hope = _Hope(stretch.arm.name)
        async with aclosing(_engine(stretch)(stretch, self.budget)) as results:
            async for result in results:
                if result.starved:
                    raise BudgetError(
                        f"The budget is spent after {self.progress.done} of {self.progress.total} judgments. What is "
                        f"done is kept: raise it{_how(self.plan)} and go on with --resume."
                    )
                self.journal.append(result.judgment, result.verdict, self.budget.committed)
                self.progress.add(result.judgment)
                on_progress(self.progress)
                hope.hear(result.judgment)


def _how(plan: Plan) -> str:
    """The options that raise the limits of a run; a limit of an ensemble's own has none."""
    options = " or ".join(f"--set budget.{key}=N" for key, limit in plan.experiment.budget if limit is not None)
    return f" with {options}" if options else ""


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
    begun = path.exists() and path.stat().st_size > 0
    if begun and not (options.resume or options.retry_failed):
        raise ConfigError(f"{folder}: there is a run already. Go on with --resume, or choose another folder with -o.")
    if begun and _has_header(path):
        _explain_changes(plan, folder, read_header(path))
    journal = Journal.open(path, plan.header())
    try:
        write_config(plan, folder)
    except ConfigError:
        journal.close()
        raise
    return journal


def _has_header(path: Path) -> bool:
    """Whether the first line is whole: a process may have been killed while it wrote it."""
    with path.open("rb") as file:
        return file.readline().endswith(b"\n")


def _explain_changes(plan: Plan, folder: Path, there: Header) -> None:
    if there.experiment != plan.experiment.name:
        raise ConfigError(f"{folder}: this is a run of {there.experiment!r}; choose another folder with -o.")
    changed = list(changes(plan, folder, there.identity))
    if changed:
        raise ConfigError(
            f"{folder}: the run cannot go on, since its results would not belong together: {'; '.join(changed)}. "
            "Change it back, or start a new run in another folder (-o)."
        )
