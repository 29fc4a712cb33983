"""Many images against a server: calls a second, beside a bare semaphore with the same SDK and the same calls.

    python benchmarks/throughput.py [--images 1000] [--delay 0.2] [--in-flight 32] [--workers 0]

The server answers each call after `--delay` seconds, so `--in-flight` calls at once give its capacity. The bare client
sends the same number of calls, as large as the Judge's, through the openai SDK under a plain asyncio.Semaphore: no
graph, no layers, no pictures to prepare. Rates are taken after ramp-up: from when a tenth of the calls are done. The
sequential client is run for a few seconds only. Beside the rates stands how many cores this process kept busy: where
that is about 1 or more, the processor is the limit, not the server.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import math
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import openai
from local_server import running, stats
from one_image import picture, row

from evals.experiment import Experiment
from evals.plan import make_plan
from evals.run import RunOptions, perform_run
from orchestrator import event_loop
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge

CALLS = 10
WINDOWS = 4
"""Cases under way for each call that may be in flight, so that there is always a call that waits."""


class Clock:
    """When calls were done, for a rate after ramp-up, and the processor time that they took."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._began = time.perf_counter(), time.process_time()

    def tick(self) -> None:
        """One call is done."""
        self.times.append(time.perf_counter())

    def rate(self) -> float:
        """Calls a second after the first tenth and before the last twentieth, which drains."""
        first, last = len(self.times) // 10, len(self.times) * 19 // 20
        return (last - first) / (self.times[last] - self.times[first])

    def cores(self) -> float:
        """Cores kept busy by this process so far."""
        wall, busy = self._began
        return (time.process_time() - busy) / (time.perf_counter() - wall)


async def bare(url: str, calls: int, in_flight: int, clock: Clock) -> None:
    """The same calls under a plain semaphore."""
    slots = asyncio.Semaphore(in_flight)
    data = base64.b64encode(picture(1)).decode()
    content = [
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{data}"}},
        {"type": "text", "text": "Is this picture a photograph or generated? " * 30},
    ]
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

        async def call() -> None:
            async with slots:
                await client.chat.completions.create(model="toy", messages=[{"role": "user", "content": content}])  # type: ignore[list-item]
            clock.tick()

        await asyncio.gather(*(call() for _ in range(calls)))


async def sequential(url: str, calls: int, clock: Clock) -> None:
    """One call after another."""
    await bare(url, calls, 1, clock)


async def judged(url: str, pictures: list[bytes], in_flight: int, clock: Clock, cache: Path) -> None:
    """The ensemble `six` over distinct images, cold cache."""
    settings = (f"limits.ceiling={in_flight}", "strict=true")
    ensemble = load_ensemble("six", Overrides(backend=f"compatible:toy@{url}", settings=settings))

    async with Judge(ensemble, cache_path=cache) as judge:
        watch(judge, clock)
        async for result in judge.judge_many(pictures, window=WINDOWS * in_flight):
            assert result.verdict is not None, result.error


def experiment(url: str, folder: Path, options: argparse.Namespace) -> Experiment:
    """The same on workers: the ensemble `six` over distinct images, cold cache."""
    for seed in range(options.images):
        parent = folder / "data" / ("fake" if seed % 2 else "real")
        parent.mkdir(parents=True, exist_ok=True)
        (parent / f"{seed:06}.jpg").write_bytes(picture(seed))
    batch = math.ceil(options.images / options.workers)  # between two batches a worker runs empty
    return Experiment.model_validate(
        {
            "name": "throughput",
            "data": {"path": "data"},
            "engine": "ray",
            "ray": {"workers": options.workers, "cpus": 0.1, "batch": batch},
            "window": WINDOWS * options.in_flight,
            "base": {
                "ensemble": "six",
                "backend": f"compatible:toy@{url}",
                "set": {"limits": {"ceiling": options.in_flight}},
            },
        }
    )


@contextlib.contextmanager
def counted_at(url: str, clock: Clock) -> Iterator[None]:
    """Let the clock hear of every answer of a server, whoever asks it."""
    over = threading.Event()

    def count() -> None:
        clock.times += [time.perf_counter()] * (stats(url)["calls"] - len(clock.times))

    def look() -> None:
        while not over.wait(0.1):
            count()

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()
        count()


def watch(judge: Judge, clock: Clock) -> None:
    """Let the clock hear of every answer that came from the server."""
    meter = judge.kit.resources.meter
    count = meter.count

    def counted(completion: object) -> None:
        count(completion)  # type: ignore[arg-type]
        clock.tick()

    meter.count = counted  # type: ignore[method-assign]


def distribute(options: argparse.Namespace, floor: float) -> None:
    """Measure the experiment on workers and print."""
    with running(options.delay) as url, tempfile.TemporaryDirectory() as folder:
        plan = make_plan(experiment(url, Path(folder), options), Path(folder))
        clock = Clock()
        with counted_at(url, clock):
            progress = event_loop.run(perform_run(plan, Path(folder) / "run", RunOptions()))
        assert progress.done == options.images
        assert not progress.errors
        row(
            f"sixlens, {options.workers} workers",
            f"{clock.rate():.1f} /s",
            f"{clock.rate() / floor:.3f} of the bare semaphore, {stats(url)['calls']} calls, peak "
            f"{stats(url)['peak']} in flight",
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--delay", type=float, default=0.2, help="seconds a call takes")
    parser.add_argument("--in-flight", type=int, default=32, help="calls allowed at once")
    parser.add_argument("--workers", type=int, default=0, help="processes of an experiment with `engine: ray`")
    options = parser.parse_args()
    capacity = options.in_flight / options.delay
    row("capacity of the server", f"{capacity:.1f} /s", f"{options.in_flight} calls of {options.delay} s")
    with running(options.delay) as url:
        clock = Clock()
        event_loop.run(sequential(url, 20, clock))
        row("sequential client", f"{clock.rate():.1f} /s", f"{clock.rate() / capacity:.3f} of the capacity")
    with running(options.delay) as url:
        clock = Clock()
        event_loop.run(bare(url, options.images * CALLS, options.in_flight, clock))
        floor = clock.rate()
        note = f"{floor / capacity:.3f} of the capacity, {clock.cores():.2f} cores busy"
        row("bare semaphore, same SDK", f"{floor:.1f} /s", note)
    pictures = [picture(seed) for seed in range(options.images)]  # drawing them is no part of judging them
    with running(options.delay) as url, tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        began = time.perf_counter()
        event_loop.run(judged(url, pictures, options.in_flight, clock, Path(folder) / "answers.sqlite"))
        seconds, seen = time.perf_counter() - began, stats(url)
        note = f"{clock.rate() / floor:.3f} of the bare semaphore, {clock.cores():.2f} cores busy"
        row("sixlens, ensemble six", f"{clock.rate():.1f} /s", note)
        note = f"{seen['calls']} calls in {seconds:.1f} s, peak {seen['peak']} in flight, {seen['pictures']} pictures"
        row("", f"{options.images / seconds:.2f} verdicts/s", note)
    if options.workers:
        distribute(options, floor)


if __name__ == "__main__":
    main()
