"""Input tokens of a verdict that a provider's prefix cache serves, by layout, from the protocol's own usage fields.

    python benchmarks/prefix_cache.py [--images 20] [--read-price 0.1] [--write-price 1.25]

The server of this folder stands in for a provider: it counts a prefix as cached once an earlier prompt with the same
beginning was answered, from 1,024 tokens on; a picture counts as 1,000 tokens. Prices are relative to a plain input
token: one read from the cache costs 0.1, one written to it 1.25. The stand-in says, as OpenAI's protocol does, what it
read and not what it wrote: then writing costs nothing extra, and the last row charges for it all the same, as if every
token that was not read had been written. With `--backend` the same is asked of a real service.
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
"""Anthropic's price list (prompt caching, cache reads), and OpenAI's for the models that charge for writing."""
WRITE_PRICE = 1.25
"""Anthropic's price list (prompt caching, cache writes kept for five minutes), and OpenAI's for newer models."""


async def spend(spec: str, layout: str, images: int) -> tuple[TokenUsage, int]:
    """The tokens and calls of some verdicts, one after another."""
    settings = (f"layout={layout}", "cache=false", "strict=true")
    usage, calls = TokenUsage(), 0
    async with Judge(load_ensemble("six", Overrides(backend=spec, settings=settings))) as judge:
        for seed in range(images):
            verdict = await judge.judge(picture(seed))
            usage, calls = add_usage(usage, verdict.usage.tokens), calls + verdict.usage.calls
    return usage, calls


def price(usage: TokenUsage, written: int, read_price: float, write_price: float) -> float:
    """What the input costs, in plain input tokens: those not in the cache, those written to it, those read from it."""
    total, cached = usage.input_tokens or 0, usage.cached_tokens or 0
    return total - cached - written + write_price * written + read_price * cached


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--read-price", type=float, default=READ_PRICE, help="of a cached token, in input tokens")
    parser.add_argument("--write-price", type=float, default=WRITE_PRICE, help="of a written token, in input tokens")
    parser.add_argument("--backend", help="a real backend instead of the stand-in")
    options = parser.parse_args()
    for layout in ("paper", "shared"):
        serving = nullcontext(None) if options.backend else running(0.01)
        with serving as url:
            spec = options.backend or f"compatible:toy@{url}"
            usage, calls = asyncio.run(spend(spec, layout, options.images))
        total, cached = usage.input_tokens or 0, usage.cached_tokens or 0
        row(
            f"layout {layout}, without the cache",
            f"{total / options.images:.0f}",
            f"input tokens, {calls} calls in all",
        )
        told = usage.cache_written_tokens
        rows = {"with the cache": told or 0}
        if told is None:
            rows["and all else written to it"] = total - cached
        for name, written in rows.items():
            cost = price(usage, written, options.read_price, options.write_price)
            shares = f"{cached / total:.2f} of the tokens read, {written / total:.2f} written"
            row(f"layout {layout}, {name}", f"{cost / options.images:.0f}", f"{shares}; {cost / total:.2f} of the cost")


if __name__ == "__main__":
    main()
