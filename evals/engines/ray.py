"""The tasks of a run on a Ray cluster: this process owns journal and budget, workers get shares."""

from __future__ import annotations

import asyncio
import functools
import logging
import math
import pickle
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from backends.errors import ConfigError, ProgramError
from backends.layers.budget import Budget
from evals.engines.ray_account import Account
from evals.engines.ray_cluster import import_ray, open_cluster
from evals.engines.ray_desk import Desk, Taken
from evals.engines.ray_purse import rest
from evals.engines.ray_row import read_row
from evals.engines.stretch import Stretch
from evals.experiment import RaySettings, RunBudget
from evals.task import Result, Task
from orchestrator.ensemble import BackendLimits, Ensemble, LimitSettings

if TYPE_CHECKING:
    from evals.engines.ray_worker import Assignment

Limits = TypeVar("Limits", LimitSettings, BackendLimits)
PATIENCE_S = 10.0
"""How long workers have to put down what they are doing when a run ends early."""


async def run_ray(stretch: Stretch, budget: Budget) -> AsyncGenerator[Result]:
    """Perform the tasks of one arm and repeat on workers; results come as they are done.

    The Ray instance is one of the things that are shared by the stretches of a run, and is closed with them.

    Raises:
        MissingExtraError: ray is not installed.
        ConfigError: the arm's backends or files cannot be used, or the cluster.
        BackendError: a server of the arm cannot be reached.
        ProgramError: workers die again and again, or a fault of sixlens itself.
    """
    tasks = list(stretch.tasks)
    if not tasks:
        return
    cluster = stretch.shared.take(("ray",), functools.partial(open_cluster, stretch.plan.experiment.ray))
    try:
        async with aclosing(_perform(stretch, tasks, budget)) as results:
            async for result in results:
                yield result
    finally:
        await cluster.aclose()


async def _perform(stretch: Stretch, tasks: Sequence[Task], budget: Budget) -> AsyncGenerator[Result]:
    ray = import_ray()

    experiment = stretch.plan.experiment
    ensemble = stretch.arm.repeated(stretch.repeat)
    workers = _workers(experiment.ray, ensemble, experiment.window, len(tasks))
    limits = _limits(budget, ensemble)
    if experiment.ray.address is not None:
        _check_versions()
    here = _on(ray.get_runtime_context().get_node_id())
    desk = (
        ray.remote(Desk)
        .options(num_cpus=0, max_concurrency=4 * workers + 16, scheduling_strategy=here)
        .remote(len(tasks), experiment.window, limits, workers)
    )
    assignment = _assignment(stretch, ensemble, workers, limits)
    batches = _batches(tasks, min(experiment.ray.batch, math.ceil(len(tasks) / workers)))
    work = asyncio.ensure_future(asyncio.to_thread(_distribute, batches, assignment, desk, workers, experiment.ray))
    account = Account(budget, desk)
    opener = asyncio.ensure_future(account.open())
    try:
        async with aclosing(_collect(desk, work, len(tasks), account)) as results:
            async for result in results:
                yield result
        await work
    finally:
        with suppress(ray.exceptions.RayError):
            await desk.stop.remote()
        await asyncio.wait([work], timeout=PATIENCE_S)
        opener.cancel()
        await asyncio.wait([opener])
        if work.done():
            await account.close()
        ray.kill(desk)
        if work.done() and not work.cancelled():
            work.exception()


async def _collect(desk: Any, work: asyncio.Future[None], total: int, account: Account) -> AsyncGenerator[Result]:
    """The results from the desk, until all are there."""
    count = 0
    while count < total:
        taken = await _take(desk, work)
        for life, amount in taken.lost.items():
            account.note(life, amount)
        for row in map(read_row, taken.rows):
            if row.error is not None or row.result is None:
                raise row.error or ProgramError("A worker sent an empty result; please report this.")
            account.note(row.life, row.spent)
            count += 1
            yield row.result


async def _take(desk: Any, work: asyncio.Future[None]) -> Taken:
    """The next results. They may still be on their way when Ray Data has ended."""

    async def take() -> Taken:
        taken: Taken = await desk.take.remote()
        return taken

    taking = asyncio.ensure_future(take())
    waiting: set[asyncio.Future[Any]] = {taking, work}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not taking.done():
            _raise_from(work)
            await asyncio.wait([taking], timeout=PATIENCE_S)
        if not taking.done():
            raise ProgramError("The workers ended without all results; please report this. Go on with --resume.")
        return taking.result()
    finally:
        taking.cancel()


def _raise_from(work: asyncio.Future[None]) -> None:
    """Raise if Ray Data ended with an error."""
    error = work.exception()
    if error is not None:
        reason = str(error).strip().partition("\n")[0]
        raise ProgramError(
            f"The workers stopped ({type(error).__name__}: {reason}). What is done is kept: go on with --resume; Ray's "
            "logs on the workers' machines say more."
        ) from error


def _distribute(
    batches: list[dict[str, Any]], assignment: Assignment, desk: Any, workers: int, settings: RaySettings
) -> None:
    """Have Ray Data hand the batches to workers; returns when all are done. Blocks."""
    ray = import_ray()
    from evals.engines.ray_worker import Worker

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    ray.data.from_items(batches, override_num_blocks=len(batches)).map_batches(
        Worker,
        fn_constructor_args=(assignment, desk),
        batch_size=None,
        compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
        num_cpus=settings.cpus,
        num_gpus=settings.gpus or None,
    ).materialize()


def _batches(tasks: Sequence[Task], size: int) -> list[dict[str, Any]]:
    """Numbered tasks, packed; the paths of pictures made whole."""
    whole = [replace(task, item=replace(task.item, path=task.item.path.absolute())) for task in tasks]
    numbered = list(enumerate(whole))
    starts = range(0, len(tasks), size)
    return [{"batch": start, "tasks": pickle.dumps(numbered[start : start + size])} for start in starts]


def _assignment(stretch: Stretch, ensemble: Ensemble, workers: int, limits: RunBudget) -> Assignment:
    from evals.engines.ray_worker import Assignment

    experiment = stretch.plan.experiment
    return Assignment(
        ensemble=_divided(ensemble, workers),
        data=experiment.data,
        keep_words=experiment.keep_words,
        window=experiment.window // workers,
        folder=Path.cwd(),
        cache_path=stretch.cache_path.absolute() if experiment.ray.address is None else None,
        limits=limits,
    )


def _workers(settings: RaySettings, ensemble: Ensemble, window: int, tasks: int) -> int:
    """How many workers there are: each has at least one task, and at least one of every limit."""
    limits: tuple[LimitSettings | BackendLimits, ...] = (ensemble.limits, *ensemble.limits.backends.values())
    shared = [bound for one in limits for bound in (one.ceiling, one.rpm, one.tpm) if bound is not None]
    return min(settings.workers, window, tasks, *shared)


def _divided(ensemble: Ensemble, workers: int) -> Ensemble:
    """The ensemble with one worker's part of the limits; all parts together never exceed the whole."""
    own = {spec: _part(limits, workers) for spec, limits in ensemble.limits.backends.items()}
    part = _part(ensemble.limits, workers).model_copy(update={"backends": own})
    return ensemble.model_copy(update={"limits": part})


def _part(limits: Limits, workers: int) -> Limits:
    """One worker's part."""
    whole = {name: getattr(limits, name) for name in ("start", "ceiling", "rpm", "tpm")}
    return limits.model_copy(
        update={name: max(1, number // workers) for name, number in whole.items() if number is not None}
    )


def _limits(budget: Budget, ensemble: Ensemble) -> RunBudget:
    """What the workers may spend together: what is left of the run's budget, and at most the ensemble's own."""
    run, own, spent = (
        RunBudget(calls=budget.calls, tokens=budget.tokens, cost=budget.cost),
        ensemble.budget,
        budget.spent,
    )
    left = rest(run, spent)
    calls = [limit for limit in (None if run.calls is None else left.calls, own.calls) if limit is not None]
    tokens = [limit for limit in (None if run.tokens is None else left.tokens, own.tokens) if limit is not None]
    cost = [limit for limit in (None if run.cost is None else left.cost, own.cost) if limit is not None]
    return RunBudget(calls=min(calls, default=None), tokens=min(tokens, default=None), cost=min(cost, default=None))


def _on(node: str) -> Any:
    """On this machine of the cluster and no other one."""
    return import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy(node, soft=False)


def _check_versions() -> None:
    """Every machine of the cluster has this version of sixlens.

    Raises:
        ConfigError: one has another one, or none.
    """
    ray = import_ray()

    from evals.engines.ray_worker import versions

    here, probe = versions(), ray.remote(num_cpus=0)(versions)
    for node in ray.nodes():
        if not node["Alive"]:
            continue
        name = node["NodeManagerHostname"]
        there = _on(node["NodeID"])
        try:
            found = ray.get(probe.options(scheduling_strategy=there).remote(), timeout=60)
        except ray.exceptions.RayError as error:
            raise ConfigError(
                f"ray.address: the machine {name} of the cluster cannot run sixlens; install version {here} there."
            ) from error
        if found != here:
            raise ConfigError(
                f"ray.address: the machine {name} has sixlens {found}, this one {here}; install the same."
            )
