"""A server that fails a share of its calls in every way: what comes out, and whether everything is accounted for.

    python benchmarks/storm.py [--images 200] [--faults 0.3]

Faults: 429 with and without Retry-After, 500, 503, dropped connections, malformed and truncated JSON, 20 s hangs, empty
answers, refusals. Ten attempts are allowed. Then the same run again on the same cache: only what was refused the first
time may be asked for again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from local_server import running, stats
from one_image import picture, row

from backends.layers.usage import UsageTotals
from fusion.verdict import Verdict
from orchestrator import event_loop
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge

SETTINGS = ("retry.attempts=10", "deadlines.attempt=2", "limits.ceiling=32", "budget.calls=100000", "strict=true")


async def run(url: str, images: int, cache: Path) -> tuple[list[Verdict], UsageTotals, int]:
    """The verdicts, what the meter counted, and the units of budget that were spent."""

    def pictures() -> Iterator[bytes]:
        for seed in range(images):
            yield picture(seed)

    verdicts = []
    ensemble = load_ensemble("six", Overrides(backend=f"compatible:toy@{url}", settings=SETTINGS))
    async with Judge(ensemble, cache_path=cache) as judge:
        async for result in judge.judge_many(pictures()):
            if result.verdict is None:
                raise SystemExit(f"no verdict: {result.error}")
            verdicts.append(result.verdict)
        resources = judge.kit.resources
        return verdicts, resources.meter.totals, resources.budget.spent.calls


def describe(verdicts: list[Verdict]) -> str:
    """The outcomes of all reports."""
    outcomes = Counter(report.outcome.value for verdict in verdicts for report in verdict.reports)
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--faults", type=float, default=0.3, help="share of the attempts that fail")
    options = parser.parse_args()
    with running(0.02, "--faults", str(options.faults)) as url, tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "answers.sqlite"
        began = time.perf_counter()
        verdicts, totals, budget = event_loop.run(run(url, options.images, cache))
        seen = stats(url)
        row("first run", f"{len(verdicts)} verdicts", f"{time.perf_counter() - began:.1f} s; {describe(verdicts)}")
        row("faults", "", ", ".join(f"{count} {kind}" for kind, count in sorted(seen["kinds"].items())))
        row("attempts at the server", str(seen["calls"]), f"the meter says {totals.attempts}, the budget {budget}")
        row("stored answers asked for again", str(seen["asked_again"]))
        again, totals, _ = event_loop.run(run(url, options.images, cache))
        seen = stats(url)
        row("the same run again", f"{totals.calls} calls", f"{totals.cache_hits} stored; {describe(again)}")
        row("stored answers asked for again", str(seen["asked_again"]))


if __name__ == "__main__":
    main()
