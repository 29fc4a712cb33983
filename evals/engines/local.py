"""All tasks in this process, within a bounded window."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator
from contextlib import aclosing

from backends.layers.budget import Budget
from backends.layers.cache_store import CacheStore
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
    ensemble = stretch.arm.repeated(stretch.repeat)
    # At once, so that a run that is killed asks nothing again but what was under way.
    store = CacheStore(stretch.cache_path, at_once=True) if ensemble.ask and ensemble.cache else None
    async with Judge(ensemble, cache_path=store, budget=budget, shared=stretch.shared) as judge:
        await judge.prepare()
        work = functools.partial(perform, judge=judge, data=plan.experiment.data, keep_words=plan.experiment.keep_words)
        async with aclosing(in_window(work, stretch.tasks, plan.experiment.window, ordered=False)) as results:
            async for result in results:
                yield result
