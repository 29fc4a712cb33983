"""One image through the ensemble `six`: seconds against the longest chain of calls, and CPU a verdict.

    python benchmarks/one_image.py [--delay 0.5] [--verdicts 50]

The floor is 4 calls (subject, components, verdict, panel). Sequential is what the same 11 questions take one after
another. The CPU rows use answers without any delay, so that what is left is work of our own (and, with the SDK, of the
openai package and its HTTP client).
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy
import PIL.Image
from local_server import ANSWER, running, stats

from backends.backend import Backend
from backends.completion import Completion
from backends.layers.layer import Layer
from backends.registry import open_backend
from backends.request import Request
from orchestrator import event_loop
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge

CHAIN, NAIVE = 4, 11


def picture(seed: int) -> bytes:
    """A drawn picture of 640 by 480 pixels as JPEG; another one for each seed."""
    random = numpy.random.default_rng(seed)
    coarse = random.integers(0, 255, (12, 16, 3), dtype=numpy.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(coarse).resize((640, 480), PIL.Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
    return file.getvalue()


class Counting(Layer):
    """A layer that counts calls, and how many were in flight at once."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.calls = self.in_flight = self.peak = 0

    async def complete(self, request: Request) -> Completion:
        """Ask the backend inside."""
        self.calls += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            return await self._inner.complete(request)
        finally:
            self.in_flight -= 1


@contextmanager
def scripted(delay: float) -> Iterator[Counting]:
    """The `scripted` backend, with the same answer to everything after a delay."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "answers.json"
        script.write_text(json.dumps({"model": "toy", "rules": [{"text": ANSWER, "seconds": delay}]}), "utf-8")
        yield Counting(open_backend(f"scripted:{script}"))


def judge(backend: Backend | str) -> Judge:
    """A Judge for the ensemble `six` on one backend, without a cache."""
    spec = backend if isinstance(backend, str) else backend.spec
    ensemble = load_ensemble("six", Overrides(backend=spec, settings=("cache=false", "strict=true")))
    return Judge(ensemble, backends=None if isinstance(backend, str) else {spec: backend})


async def wall(judged: Judge) -> float:
    """Seconds for one verdict, after one to warm up."""
    async with judged:
        await judged.judge(picture(0))
        began = time.perf_counter()
        await judged.judge(picture(1))
        return time.perf_counter() - began


async def cpu(judged: Judge, verdicts: int) -> float:
    """CPU seconds of this process for one verdict."""
    async with judged:
        await judged.judge(picture(0))
        images = [await judged.load(picture(seed)) for seed in range(1, verdicts + 1)]
        began = time.process_time()
        for image in images:
            await judged.judge(image)
        return (time.process_time() - began) / verdicts


def row(name: str, value: str, note: str = "") -> None:
    """Print one line of the table."""
    print(f"{name:<44} {value:>12}   {note}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.5, help="seconds a call takes")
    parser.add_argument("--verdicts", type=int, default=50, help="verdicts for the CPU rows")
    options = parser.parse_args()
    floor = CHAIN * options.delay
    row("floor, the longest chain", f"{floor:.2f} s", f"{CHAIN} calls of {options.delay} s")
    row("sequential, one call after another", f"{NAIVE * options.delay:.2f} s", f"{NAIVE} calls, not run")
    with scripted(options.delay) as backend:
        seconds = event_loop.run(wall(judge(backend)))
    note = f"{seconds / floor:.3f} of the floor, {backend.calls // 2} calls, peak {backend.peak}"
    row("scripted backend, in process", f"{seconds:.2f} s", note)
    with running(options.delay) as url:
        seconds = event_loop.run(wall(judge(f"compatible:toy@{url}")))
        seen = stats(url)
        note = f"{seconds / floor:.3f} of the floor, {seen['calls'] // 2} calls, peak {seen['peak']}"
        row("local server through compatible:", f"{seconds:.2f} s", note)
    with scripted(0) as backend:
        per_verdict = event_loop.run(cpu(judge(backend), options.verdicts))
    row("CPU a verdict, without SDK", f"{per_verdict * 1000:.1f} ms", "graph, layers, prompts, pictures, fusion")
    with running(0) as url:
        per_verdict = event_loop.run(cpu(judge(f"compatible:toy@{url}"), options.verdicts))
    row("CPU a verdict, with SDK", f"{per_verdict * 1000:.1f} ms", "the same with 10 calls over HTTP")


if __name__ == "__main__":
    main()
