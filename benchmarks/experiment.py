"""An experiment through the runner on `scripted`: cases a second, and peak memory at two sizes.

    python benchmarks/experiment.py [--sizes 3000 30000] [--ensemble direct|six] [--delay 0.0]

Each size runs in a process of its own, on tiny pictures drawn for it, so that its peak is its own. Flat memory means a
ratio near 1. The last line is that ratio.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image

from evals.experiment import Experiment
from evals.plan import make_plan
from evals.run import RunOptions, perform_run
from orchestrator import event_loop
from sixlens.cli.logs import logs_on_stderr

EDGE = 48
SCRIPT = """
model: script-1
rules:
  - {{paradigm: prepare, text: "subject: small boat\\nmedium: photograph", seconds: {delay}}}
  - {{purpose: text, text: "a hull; a sail", seconds: {delay}}}
  - {{texts: ["I looked. Verdict: real", "I looked. Verdict: generated"], seconds: {delay}}}
"""


def draw(folder: Path, count: int) -> None:
    """Pictures of both labels, no two alike."""
    for number in range(count):
        parent = folder / ("fake" if number % 2 else "real") / f"{number // 1000:03}"
        parent.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(number)
        colours = random.integers(0, 255, (4, 4, 3), dtype=np.uint8)
        picture = PIL.Image.fromarray(colours).resize((EDGE, EDGE), PIL.Image.Resampling.NEAREST)
        picture.save(parent / f"{number:06}.png")


def one(folder: Path, ensemble: str, delay: float) -> None:
    """Run the experiment and print judgments, seconds and peak memory in MiB."""
    (folder / "script.yaml").write_text(SCRIPT.format(delay=delay), "utf-8")
    experiment = Experiment.model_validate(
        {
            "name": "benchmark",
            "data": {"path": "data"},
            "base": {"ensemble": ensemble, "backend": f"scripted:{folder / 'script.yaml'}"},
        }
    )
    began = time.perf_counter()
    with logs_on_stderr(verbose=False):
        progress = event_loop.run(perform_run(make_plan(experiment, folder), folder / "run", RunOptions()))
    seconds = time.perf_counter() - began
    assert progress.done == progress.total
    assert not progress.errors
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{progress.done} {seconds:.2f} {peak:.1f}")


def measured(options: argparse.Namespace) -> Iterator[tuple[int, float, float]]:
    """Cases, seconds and peak of each size."""
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as name:
            draw(Path(name) / "data", size)
            command = [sys.executable, __file__, "--one", name, "--ensemble", options.ensemble]
            command += ["--delay", str(options.delay)]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            cases, seconds, peak = (float(value) for value in output.split())
            yield int(cases), seconds, peak


def main() -> None:
    """Run each size and print the ratio of the peaks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[3000, 30000])
    parser.add_argument("--ensemble", choices=("direct", "six"), default="direct")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds a call takes")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one, options.ensemble, options.delay)
        return
    peaks = []
    print(f"{'cases':>8} {'seconds':>9} {'cases/s':>9} {'peak MiB':>9}")
    for cases, seconds, peak in measured(options):
        peaks.append(peak)
        print(f"{cases:>8} {seconds:>9.1f} {cases / seconds:>9.1f} {peak:>9.1f}", flush=True)
    print(f"ratio of the peaks: {peaks[-1] / peaks[0]:.2f}")


if __name__ == "__main__":
    main()
