"""Many images through `judge_many`: peak memory at two sizes, and tasks alive.

    python benchmarks/many_images.py [--sizes 200 2000] [--delay 0.01]

Each size runs in a process of its own, so that its peak is its own. Flat memory means a ratio near 1.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import time

from one_image import judge, picture, scripted

from orchestrator import event_loop


async def run(count: int, delay: float) -> None:
    """Judge `count` pictures and print seconds, peak memory in MiB, and the most tasks alive."""
    began, tasks, verdicts = time.perf_counter(), 0, 0
    with scripted(delay) as backend:
        async with judge(backend) as judged:
            async for result in judged.judge_many(picture(seed) for seed in range(count)):
                verdicts += result.verdict is not None
                tasks = max(tasks, len(asyncio.all_tasks()))
    assert verdicts == count
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{time.perf_counter() - began:.2f} {peak:.1f} {tasks}")


def main() -> None:
    """Run each size and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 2000])
    parser.add_argument("--delay", type=float, default=0.01, help="seconds a call takes")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        event_loop.run(run(options.one, options.delay))
        return
    first = None
    print(f"{'cases':>8} {'seconds':>9} {'cases/s':>9} {'peak MiB':>9} {'ratio':>7} {'tasks':>6}")
    for size in options.sizes:
        command = [sys.executable, __file__, "--one", str(size), "--delay", str(options.delay)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        seconds, peak, tasks = (float(value) for value in output.split())
        first = first or peak
        print(f"{size:>8} {seconds:>9.2f} {size / seconds:>9.1f} {peak:>9.1f} {peak / first:>7.2f} {tasks:>6.0f}")


if __name__ == "__main__":
    main()
