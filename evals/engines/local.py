"""All tasks in this process, within a bounded window."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator
from contextlib import aclosing

from backends.layers.budget import Budget
from evals.engines.stretch import Stretch
from evals.task import Result, perform
from orchestrator.judge import Judge
from orchestrator.window import in_window


async def run_local(stretch: Stretch, budget: Budget) -> AsyncGenerator[Result]:
    """Perform the tasks of one arm and repeat; results come as they are done.

    Raises:
        ConfigError: the arm's backends or files cannot be used.
        BackendError: a server of the arm cannot be reached.
    """
    plan = stretch.plan
    judge = Judge(stretch.arm.repeated(stretch.repeat), cache_path=stretch.cache_path, budget=budget)
    async with judge:
        await judge.prepare()
        work = functools.partial(perform, judge=judge, data=plan.experiment.data, keep_words=plan.experiment.keep_words)
        async with aclosing(in_window(work, stretch.tasks, plan.experiment.window, ordered=False)) as results:
            async for result in results:
                yield result
