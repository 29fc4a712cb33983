from __future__ import annotations

import asyncio
import gc
import sys

import pytest

from orchestrator import event_loop


async def loop_module() -> str:
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]


def test_work_runs_on_uvloop_and_gives_its_result() -> None:
    pytest.importorskip("uvloop")
    assert event_loop.run(loop_module()) == "uvloop"


def test_without_uvloop_it_is_asyncios_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert event_loop.run(loop_module()) == "asyncio"


def test_errors_come_through_and_the_collector_is_as_before() -> None:
    usual, inside = gc.get_threshold(), []

    async def fail() -> None:
        inside.append(gc.get_threshold())
        raise ValueError("told")

    with pytest.raises(ValueError, match="told"):
        event_loop.run(fail())
    assert inside[0][0] > usual[0]
    assert gc.get_threshold() == usual
