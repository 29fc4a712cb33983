"""A server that answers 429 beyond a number of calls in flight: how much of it is used, and how much is refused.

    python benchmarks/rate_limit.py [--images 150] [--capacity 8] [--delay 0.1]

The limiter is told nothing. Shares are taken after warm-up: from when a tenth of the calls were answered.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

from local_server import running, stats
from one_image import picture, row

from backends.completion import Completion
from orchestrator import event_loop
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge


class Watch:
    """Counts answers and attempts over time."""

    def __init__(self) -> None:
        self.answers: list[float] = []
        self.attempts: list[float] = []

    def attach(self, judge: Judge) -> None:
        """Hear of every attempt and answer of a Judge."""
        meter = judge.kit.resources.meter
        count, count_attempt = meter.count, meter.count_attempt

        def answered(completion: Completion) -> None:
            count(completion)
            if not completion.cached:
                self.answers.append(time.perf_counter())

        def attempted() -> None:
            count_attempt()
            self.attempts.append(time.perf_counter())

        meter.count, meter.count_attempt = answered, attempted  # type: ignore[method-assign]

    def steady(self) -> tuple[float, int, int]:
        """Seconds, answers and attempts between a tenth and nineteen twentieths of the answers."""
        first, last = self.answers[len(self.answers) // 10], self.answers[len(self.answers) * 19 // 20]
        answers = sum(first < moment <= last for moment in self.answers)
        return last - first, answers, sum(first < moment <= last for moment in self.attempts)


async def run(url: str, images: int, watch: Watch) -> None:
    """Judge the pictures without a cache."""

    def pictures() -> Iterator[bytes]:
        for seed in range(images):
            yield picture(seed)

    settings = ("cache=false", "retry.attempts=20", "strict=true")
    ensemble = load_ensemble("six", Overrides(backend=f"compatible:toy@{url}", settings=settings))
    async with Judge(ensemble) as judge:
        watch.attach(judge)
        async for result in judge.judge_many(pictures()):
            if result.verdict is None:
                raise SystemExit(f"no verdict: {result.error}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=150)
    parser.add_argument("--capacity", type=int, default=8, help="calls in flight that the server takes")
    parser.add_argument("--delay", type=float, default=0.1, help="seconds a call takes")
    options = parser.parse_args()
    watch = Watch()
    with running(options.delay, "--capacity", str(options.capacity)) as url:
        event_loop.run(run(url, options.images, watch))
        seen = stats(url)
    seconds, answers, attempts = watch.steady()
    rate, capacity = answers / seconds, options.capacity / options.delay
    row("capacity of the server", f"{capacity:.1f} /s", f"{options.capacity} calls of {options.delay} s")
    row("answers after warm-up", f"{rate:.1f} /s", f"{rate / capacity:.3f} of the capacity")
    row("refused after warm-up", f"{(attempts - answers) / attempts:.3f}", "share of the calls")
    row("refused in all", str(seen["kinds"].get("refused beyond capacity", 0)), f"of {seen['calls']} calls")


if __name__ == "__main__":
    main()
