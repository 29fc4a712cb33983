"""What Prometheus can read of a server."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from fusion.verdict import Verdict

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600)


class Metrics:
    """Counts of one server, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.judgments = Counter(
            "sixlens_judgments", "Judgments that ended with a verdict.", ("ensemble", "label"), registry=registry
        )
        self.failures = Counter("sixlens_failures", "Judgments that ended without one.", ("kind",), registry=registry)
        self.storage = Counter(
            "sixlens_storage_failures", "Times that the data folder could not be used.", registry=registry
        )
        self.refused = Counter("sixlens_refused", "Requests refused because the queue is full.", registry=registry)
        self.reports = Counter(
            "sixlens_reports", "Reports of paradigms.", ("paradigm", "outcome", "label"), registry=registry
        )
        self.calls = Counter("sixlens_calls", "Answers that came from a backend.", registry=registry)
        self.attempts = Counter("sixlens_attempts", "Requests to backends, repeats included.", registry=registry)
        self.cache_hits = Counter("sixlens_cache_hits", "Answers out of the cache.", registry=registry)
        self.tokens = Counter("sixlens_tokens", "Tokens, where they are known.", ("direction",), registry=registry)
        self.cost = Counter("sixlens_cost_dollars", "What verdicts of known price cost.", registry=registry)
        self.unpriced = Counter("sixlens_unpriced_judgments", "Verdicts of unknown price.", registry=registry)
        self.unmetered = Counter(
            "sixlens_unmetered_judgments", "Verdicts of an unknown number of tokens, in or out.", registry=registry
        )
        self.decisions = Counter("sixlens_decisions", "Decisions of people.", ("decision", "blind"), registry=registry)
        self.queue = Gauge("sixlens_queue_length", "Judgments that wait.", registry=registry)
        self.running = Gauge("sixlens_running", "Judgments under way.", registry=registry)
        self.reviews = Gauge("sixlens_reviews_waiting", "Cases that wait for a person.", registry=registry)
        self.seconds = Histogram(
            "sixlens_judgment_seconds",
            "From the start of a judgment to its verdict.",
            ("ensemble",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.waited = Histogram(
            "sixlens_wait_seconds", "From a request to the start of its judgment.", buckets=_SECONDS, registry=registry
        )
        self.requests = Counter(
            "sixlens_http_requests", "HTTP requests.", ("method", "route", "status"), registry=registry
        )

    def decided(self, verdict: Verdict, seconds: float) -> None:
        """Count a verdict."""
        self.judgments.labels(verdict.ensemble, verdict.label.value).inc()
        self.seconds.labels(verdict.ensemble).observe(seconds)
        for report in verdict.reports:
            label = "" if report.label is None else report.label.value
            self.reports.labels(report.paradigm, report.outcome.value, label).inc()
        usage = verdict.usage
        self.calls.inc(usage.calls)
        self.attempts.inc(usage.attempts)
        self.cache_hits.inc(usage.cache_hits)
        known = {"input": usage.tokens.input_tokens, "output": usage.tokens.output_tokens}
        for direction, tokens in known.items():
            if tokens is not None:
                self.tokens.labels(direction).inc(tokens)
        if usage.calls and None in known.values():
            self.unmetered.inc()
        if usage.cost is None:
            self.unpriced.inc()
        else:
            self.cost.inc(usage.cost)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)
