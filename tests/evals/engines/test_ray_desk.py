from __future__ import annotations

import asyncio

import pytest

from backends import errors
from backends.errors import BackendError, ConfigError, MissingKeyError, ProgramError, SixlensError, UnknownNameError
from backends.layers.budget import Amount
from evals.engines.ray_desk import MOST_LIVES, Desk
from evals.engines.ray_row import read_row, write_error, write_result
from evals.experiment import RunBudget
from evals.judgment import Judgment
from evals.task import Result

JUDGMENT = Judgment(case="a", arm="b", label=None, error="It is “odd”.", error_kind="ImageError")


async def test_of_two_results_of_a_task_one_is_kept() -> None:
    desk = Desk(2, 8, RunBudget(), 1)
    await desk.deliver(0, "first")
    await desk.deliver(0, "again")
    assert await desk.missing([0, 1], "w", "life") == [1]
    assert not await desk.over()
    await desk.deliver(1, "second")
    assert (await desk.take()).rows == ["first", "second"]
    assert await desk.over()
    assert await desk.missing([0, 1], "w", "life") == []


async def test_workers_wait_while_nobody_takes() -> None:
    desk = Desk(3, 1, RunBudget(), 1)
    await desk.deliver(0, "0")
    waiting = asyncio.ensure_future(desk.deliver(1, "1"))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert (await desk.take()).rows[0] == "0"
    await waiting


async def test_a_worker_that_dies_again_and_again_ends_the_run() -> None:
    desk = Desk(3, 8, RunBudget(), 1)
    for life in range(MOST_LIVES):
        assert await desk.missing([0], "w", str(life)) == [0]
    assert await desk.missing([0], "w", "one more") == []
    row = read_row((await desk.take()).rows[0])
    assert isinstance(row.error, ProgramError)


def test_a_result_survives_the_way() -> None:
    result = Result(JUDGMENT, {"label": "real", "score": 0.5}, starved=True)
    row = read_row(write_result(result, "life", Amount(1, 2, 0.5)))
    assert (row.result, row.life, row.spent, row.error) == (result, "life", Amount(1, 2, 0.5), None)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConfigError("no"), ConfigError),
        (UnknownNameError("arm", "x", ["y"]), ConfigError),
        (MissingKeyError("no key", provider="openai"), MissingKeyError),
        (type("OwnError", (BackendError,), {})("theirs"), BackendError),
    ],
)
def test_an_error_keeps_its_kind_and_words(error: SixlensError, kind: type[SixlensError]) -> None:
    row = read_row(write_error(error, "life"))
    assert type(row.error) is kind
    assert (str(row.error), row.result) == (str(error), None)


def test_every_kind_of_error_can_travel() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SixlensError)]
    for kind in kinds:
        error = kind.__new__(kind)
        error.args = ("words",)
        found = read_row(write_error(error, "life")).error
        assert found is not None
        assert found.exit_code == kind.exit_code
