"""Input tokens of a verdict that a provider's prefix cache serves, by layout, from the protocol's own usage fields.

    python benchmarks/prefix_cache.py [--images 20] [--read-price 0.1] [--write-price 1.25]

The server of this folder stands in for a provider, in two ways. *Every beginning*: it counts a prefix as cached once an
earlier prompt with the same beginning was answered, from 1,024 tokens on. It says, as OpenAI's older models do, what it
read and not what it wrote: then writing costs nothing extra, and a further row charges for it all the same, as if every
token that was not read had been written. *Marks*: as with OpenAI's models from gpt-5.6 on, a prefix is only found again
up to a mark, and what is written is counted; the last row leaves the marks to the service, which sets one behind each
question. A picture counts as 1,000 tokens. Prices are relative to a plain input token: one read from the cache costs
0.1, one written to it 1.25. With `--backend` the same is asked of a real service.
"""

from __future__ import annotations

import argparse

from local_server import running
from one_image import picture, row

from backends.completion import TokenUsage
from backends.layers.usage import add_usage
from orchestrator import event_loop
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge

READ_PRICE = 0.1
"""Anthropic's price list (prompt caching, cache reads), and OpenAI's for the models that charge for writing."""
WRITE_PRICE = 1.25
"""Anthropic's price list (prompt caching, cache writes kept for five minutes), and OpenAI's for newer models."""


async def spend(spec: str, images: int, *settings: str) -> tuple[TokenUsage, int]:
    """The tokens and calls of some verdicts, one after another."""
    usage, calls = TokenUsage(), 0
    overrides = Overrides(backend=spec, settings=("cache=false", "strict=true", *settings))
    async with Judge(load_ensemble("six", overrides)) as judge:
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
    if options.backend:
        for layout in ("paper", "shared"):
            report(layout, event_loop.run(spend(options.backend, options.images, f"layout={layout}")), options)
        return
    for layout in ("paper", "shared"):
        with running(0.01) as url:
            spent = event_loop.run(spend(f"compatible:toy@{url}", options.images, f"layout={layout}"))
        report(layout, spent, options)
    for name, marks in (("marks of ours", "true"), ("marks of the service", "false")):
        with running(0.01, "--marked") as url:
            spec = f"compatible:toy@{url}"
            known = f"backends={{'{spec}': {{capabilities: {{cache_breakpoints: {marks}}}}}}}"
            spent = event_loop.run(spend(spec, options.images, "layout=shared", known))
        report(f"shared, {name}", spent, options)


def report(name: str, spent: tuple[TokenUsage, int], options: argparse.Namespace) -> None:
    """Print what was spent, without the cache and with it."""
    usage, calls = spent
    total, cached, told = usage.input_tokens or 0, usage.cached_tokens or 0, usage.cache_written_tokens
    row(f"{name}, without the cache", f"{total / options.images:.0f}", f"input tokens, {calls} calls in all")
    rows = {"with the cache": told or 0}
    if told is None:
        rows["and all else written to it"] = total - cached
    for what, written in rows.items():
        cost = price(usage, written, options.read_price, options.write_price)
        shares = f"{cached / total:.2f} of the tokens read, {written / total:.2f} written"
        row(f"{name}, {what}", f"{cost / options.images:.0f}", f"{shares}; {cost / total:.2f} of the cost")


if __name__ == "__main__":
    main()
