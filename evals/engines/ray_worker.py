"""A worker of the engine `ray`: an actor of Ray Data that judges batches of tasks on its own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import os
import pickle
import platform
import tempfile
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from backends.errors import ImageError, SixlensError
from backends.layers.budget import Budget
from evals.data.spec import DataSpec
from evals.engines.ray_cluster import import_ray
from evals.engines.ray_purse import Share
from evals.engines.ray_row import write_error, write_result
from evals.experiment import RunBudget
from evals.task import Result, Task, perform
from orchestrator.ensemble import Ensemble
from orchestrator.event_loop import seldom_collected
from orchestrator.judge import Judge
from orchestrator.window import in_window

TICK_S = 0.05
"""Seconds between two balances, where a budget is limited."""
Numbered = tuple[int, Task]


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker is to do. It holds no key: workers read theirs from their own environment."""

    ensemble: Ensemble
    """With the worker's share of the limits."""
    data: DataSpec
    keep_words: bool
    window: int
    folder: Path
    """The working folder of the run, which relative paths of the ensemble count from."""
    cache_path: Path | None
    """Of the answers, on this machine; None on a cluster, where a worker has a file of its own as long as it lives."""
    limits: RunBudget
    """Of all workers together."""


def versions() -> str:
    """What is installed where this runs."""
    return version("sixlens")


class Worker:
    """Opens one Judge when its first batch comes, and closes it at the end of the stretch.

    Args:
        assignment: what to do.
        desk: the handle of the `Desk` actor.
    """

    def __init__(self, assignment: Assignment, desk: Any) -> None:
        self._assignment = assignment
        self._desk = desk
        self._name = import_ray().get_runtime_context().get_actor_id() or ""
        self._life = uuid.uuid4().hex
        self._share = Share(assignment.limits) if _limited(assignment.limits) else None
        self._budget = self._share.budget if self._share else Budget(name="experiment")
        self._stack = AsyncExitStack()
        self._judge: Judge | None = None
        self._work: asyncio.Future[None] | None = None
        self._watch: asyncio.Future[None] | None = None

    async def __call__(self, batch: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """Judge the tasks of a batch that have no result yet. Results go to the desk as they come."""
        for packed in batch["tasks"]:
            tasks: list[Numbered] = pickle.loads(packed)
            numbers = [number for number, _ in tasks]
            missing = set(await self._desk.missing.remote(numbers, self._name, self._life))
            if missing:
                await self._perform([task for task in tasks if task[0] in missing])
        yield {"batch": np.asarray(batch["batch"])}

    async def _perform(self, tasks: Sequence[Numbered]) -> None:
        if self._watch is None:
            self._watch = asyncio.ensure_future(self._close_at_end())
        self._work = asyncio.ensure_future(self._judge_all(tasks))
        await asyncio.wait([self._work])
        if await self._desk.over.remote():
            await self._watch
        if not self._work.cancelled():
            self._work.result()

    async def _judge_all(self, tasks: Sequence[Numbered]) -> None:
        done = asyncio.Event()
        keeper = asyncio.ensure_future(self._keep_share(self._share, done)) if self._share else None
        try:
            if self._share is not None:
                await self._share.lock()
            judge = await self._open()
            work = functools.partial(self._judge_one, judge)
            async with aclosing(in_window(work, tasks, self._assignment.window, ordered=False)) as results:
                async for number, result in results:
                    spent = self._share.spent if self._share else self._budget.spent
                    await self._desk.deliver.remote(number, write_result(result, self._life, spent))
        except SixlensError as error:
            await self._desk.fail.remote(write_error(error, self._life))
            await self._desk.until_end.remote()
        finally:
            done.set()
            if keeper is not None:
                await keeper

    async def _judge_one(self, judge: Judge, task: Numbered) -> tuple[int, Result]:
        given = self._assignment
        result = await perform(task[1], judge, given.data, keep_words=given.keep_words)
        return task[0], result if given.cache_path is not None else _placed(result, task[1])

    async def _open(self) -> Judge:
        """The Judge of this worker, opened once."""
        if self._judge is None:
            given = self._assignment
            with contextlib.suppress(OSError):  # what has no relative path needs no such folder
                os.chdir(given.folder)
            path = given.cache_path
            if path is None:
                folder = tempfile.TemporaryDirectory(prefix="sixlens-", ignore_cleanup_errors=True)
                path = Path(self._stack.enter_context(folder)) / "answers.sqlite"
            self._stack.enter_context(seldom_collected())
            judge = Judge(given.ensemble, cache_path=path, budget=self._budget)
            await self._stack.enter_async_context(judge)
            await judge.prepare()
            self._judge = judge
        return self._judge

    async def _close_at_end(self) -> None:
        """Stop what is under way when nothing more is wanted, and close everything."""
        with contextlib.suppress(
            import_ray().exceptions.RayError
        ):  # the desk is gone with the process that owned the run
            await self._desk.until_end.remote()
        if self._work is not None and not self._work.done():
            self._work.cancel()
            await asyncio.wait([self._work])
        await self._stack.aclose()

    async def _keep_share(self, share: Share, done: asyncio.Event) -> None:
        """Balance with the purse as long as there is work, and hand back what is left."""
        while not done.is_set():
            await share.lock()
            balance = await self._desk.balance.remote(self._name, self._life, share.spent, share.pending)
            share.open(balance)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await done.wait()
        await share.lock()
        await self._desk.leave.remote(self._name, self._life, share.spent)


def _limited(limits: RunBudget) -> bool:
    return any(limit is not None for limit in (limits.calls, limits.tokens, limits.cost))


def _placed(result: Result, task: Task) -> Result:
    """The result; of a picture that this machine cannot read, the error says so."""
    judgment = result.judgment
    if judgment.error_kind != ImageError.__name__ or os.access(task.item.path, os.R_OK):
        return result
    error = (
        f"{task.item.path}: the worker on {platform.node()} cannot read it; pictures travel by path, so every machine "
        "of the cluster needs the same folder (a shared file system)."
    )
    return dataclasses.replace(result, judgment=judgment.model_copy(update={"error": error}))
