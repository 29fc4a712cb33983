"""Why nothing came out of a provider's prefix cache; worth knowing, since it makes most of a verdict's price."""

from __future__ import annotations

from collections.abc import Iterator

from backends.backend import Capabilities
from orchestrator.case import Case
from orchestrator.ledger import Served
from paradigms.paradigm import Layout


def prefix_notes(case: Case) -> tuple[str, ...]:
    """One line a reason when calls were made and none of their tokens came from a prefix cache; else nothing."""
    spent = case.ledger.spending()
    if spent.calls < 2 or spent.tokens.cached_tokens:
        return ()
    if case.kit.ensemble.layout is Layout.PAPER:
        return ("No cached tokens: in the layout `paper` the questions do not begin alike; use `layout: shared`.",)
    return tuple(f"No cached tokens: {reason}." for reason in sorted(set(_reasons(case))))


def _reasons(case: Case) -> Iterator[str]:
    """Those of the backends that really answered: with a fallback, the first one named may not have."""
    known = {provider.spec: provider.capabilities for provider in case.kit.providers.values()}
    repeated = {spec: served for spec, served in case.ledger.served.items() if served.calls > 1}
    if not repeated:
        yield "each backend was asked only once, and what nobody has written cannot be read"
    for spec, served in repeated.items():
        yield _reason(known.get(spec, Capabilities()), served)


def _reason(capabilities: Capabilities, served: Served) -> str:
    if capabilities.prefix_cache_note is not None:
        return capabilities.prefix_cache_note
    if capabilities.prefix_cache is False:
        return "the provider has no prefix cache"
    minimum, tokens = capabilities.cache_min_tokens, served.tokens.input_tokens
    if minimum is not None and tokens is not None and tokens / served.calls < minimum:
        return f"the prompts are shorter than the {minimum} tokens from which the provider caches"
    if served.tokens.cached_tokens is None:
        return "the server does not say whether its prefix cache was used"
    return "the provider read none of them from its prefix cache"
