"""Input tokens of a verdict that a provider's prefix cache serves, by layout, from the protocol's own usage fields.

    python benchmarks/prefix_cache.py [--images 20]

The server of this folder stands in for a provider: it counts a prefix as cached once an earlier prompt with the same
beginning was answered, from 1,024 tokens on. Prices are relative: a cached token costs 0.1 of an input token, which is
what hosted providers charge; a picture counts as 1,000 tokens. With `--backend` the same is asked of a real service.
"""

from __future__ import annotations

import argparse
import asyncio
from contextlib import nullcontext

from local_server import running
from one_image import picture, row

from backends.completion import TokenUsage
from backends.layers.usage import add_usage
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge

READ_PRICE = 0.1


async def spend(spec: str, layout: str, images: int) -> tuple[TokenUsage, int]:
    """The tokens and calls of some verdicts, one after another."""
    settings = (f"layout={layout}", "cache=false", "strict=true")
    usage, calls = TokenUsage(), 0
    async with Judge(load_ensemble("six", Overrides(backend=spec, settings=settings))) as judge:
        for seed in range(images):
            verdict = await judge.judge(picture(seed))
            usage, calls = add_usage(usage, verdict.usage.tokens), calls + verdict.usage.calls
    return usage, calls


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--backend", help="a real backend instead of the stand-in")
    options = parser.parse_args()
    for layout in ("paper", "shared"):
        serving = nullcontext(None) if options.backend else running(0.01)
        with serving as url:
            spec = options.backend or f"compatible:toy@{url}"
            usage, calls = asyncio.run(spend(spec, layout, options.images))
        total, cached = usage.input_tokens or 0, usage.cached_tokens or 0
        cost = total - cached + READ_PRICE * cached
        row(
            f"layout {layout}, without the cache",
            f"{total / options.images:.0f}",
            f"input tokens, {calls} calls in all",
        )
        note = f"{cached / total:.2f} of the tokens cached; {cost / total:.2f} of the cost without"
        row(f"layout {layout}, with the cache", f"{cost / options.images:.0f}", note)


if __name__ == "__main__":
    main()
