"""Why nothing came out of a provider's prefix cache; worth knowing, since it makes most of a verdict's price."""

from __future__ import annotations

from backends.backend import Capabilities
from orchestrator.case import Case
from paradigms.paradigm import Layout


def prefix_notes(case: Case) -> tuple[str, ...]:
    """One line when calls were made and none of their tokens were read from a prefix cache; else nothing."""
    spent = case.ledger.spending()
    if spent.calls < 2 or spent.tokens.cached_tokens:
        return ()
    if case.kit.ensemble.layout is Layout.PAPER:
        return ("No cached tokens: in the layout `paper` the questions do not begin alike; use `layout: shared`.",)
    told = spent.tokens.cached_tokens is not None
    reasons = {
        _reason(backend.capabilities, told, spent.tokens.input_tokens, spent.calls)
        for backend in case.kit.backends.values()
    }
    return tuple(f"No cached tokens: {reason}." for reason in sorted(reasons))


def _reason(capabilities: Capabilities, told: bool, input_tokens: int | None, calls: int) -> str:
    if capabilities.prefix_cache is False:
        return "the provider has no prefix cache"
    minimum = capabilities.cache_min_tokens
    if minimum is not None and input_tokens is not None and input_tokens / calls < minimum:
        return f"the prompts are shorter than the {minimum} tokens from which the provider caches"
    if not told:
        return "the server does not say whether its prefix cache was used"
    return "the provider read none of them from its prefix cache"
